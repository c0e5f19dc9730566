// Package receipttest makes receipts for tests of what reads them.
package receipttest

import (
	"custos/evidence"
	"custos/receipt"
	"custos/tlog"
	"custos/tlog/tlogtest"
)

// Collect records the collection of the file that a dock expects a receipt
// for; see tlogtest.Log.Collect.
func Collect(l *tlogtest.Log, id evidence.ID, segment int, want receipt.Expect, withhold func(string) bool) tlog.Opening {
	return l.Collect(id, segment, evidence.Capture{
		Device: want.Device, FileName: want.FileName, Digest: want.Digest, Length: want.Length,
	}, withhold)
}

// Make collects a file and gives the receipt, unsigned.
func Make(l *tlogtest.Log, id evidence.ID, segment int, want receipt.Expect) receipt.Receipt {
	o := Collect(l, id, segment, want, nil)
	return receipt.Receipt{
		Recording: id, Segment: segment, Device: want.Device, FileName: want.FileName,
		Digest: want.Digest, Length: want.Length,
		Stores:      []receipt.Store{{Name: "local", ReadBack: tlogtest.Time}},
		CollectedAt: tlogtest.Time, Event: o,
		Path: l.Path(l.Size(), o.Index), Checkpoint: l.Checkpoint(l.Size()),
	}
}
