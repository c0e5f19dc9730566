package torture_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"custos/custody"
	"custos/durable/durabletest"
	"custos/evidence"
	"custos/receipt"
	"custos/test/torture"
)

// ways are how an operation of a file system goes wrong.
var ways = []struct {
	name  string
	fault durabletest.Fault
}{
	{"error", durabletest.Fault{Err: syscall.EIO}},
	{"full, short write", durabletest.Fault{Err: syscall.ENOSPC, Short: true}},
	{"power cut", durabletest.Fault{Err: syscall.EIO, Short: true, Stays: true}},
}

// passesOfHouse is how many passes one house lives through.
const passesOfHouse = 12

// TestFaults takes three files from a camera into the vault and derives a
// working copy, again and again; each time one operation of one file system
// goes wrong, the next one each time, until a pass meets no fault any more. At
// the end of each pass the power is cut everywhere, and what was promised must
// be there all the same.
func TestFaults(t *testing.T) {
	t.Parallel()
	opt := torture.Read(t)
	y := torture.NewTally(t, "faults", opt.Seed)
	defer y.End()
	var h *house
	passes := 0
	for _, place := range []string{"store", "keys", "journal"} {
		for _, way := range ways {
			struck := 0
			for nth := 1; ; nth++ {
				if passes%passesOfHouse == 0 {
					h = newHouse(t)
				}
				passes++
				p := &pass{house: h, y: y, r: torture.Random(opt.Seed, uint64(passes)), place: place, fault: way.fault, nth: nth}
				p.fault.Nth = nth
				hit := p.run(t.Context())
				if y.Violations() > 20 {
					t.Fatal("that is enough")
				}
				if !hit {
					break
				}
				struck++
				y.Add(fmt.Sprintf("faults: %s, %s", place, way.name), 1)
			}
			y.Say("%s, %s: %d operations, violations %d", place, way.name, struck, y.Violations())
			if struck == 0 {
				t.Errorf("%s, %s: no fault ever struck", place, way.name)
			}
		}
	}
	y.Add("passes", passes)
}

// pass is one way of three files into the vault with one fault.
type pass struct {
	*house
	y     *torture.Tally
	r     *rand.Rand
	place string
	fault durabletest.Fault
	nth   int

	account map[string][]byte // by name on the card
	before  int               // operations when the fault was planned
	struck  bool
}

func (p *pass) String() string {
	return fmt.Sprintf("%s, operation %d, %+v", p.place, p.nth, p.fault)
}

func (p *pass) memory() **durabletest.Memory {
	switch p.place {
	case "store":
		return &p.disk
	case "keys":
		return &p.keys
	}
	return &p.book
}

// run is true if the fault struck.
func (p *pass) run(ctx context.Context) bool {
	p.t.Helper()
	p.day++
	p.fill()
	m := *p.memory()
	p.before = m.Ops()
	m.Fail(p.fault)
	p.drive(ctx)
	if !p.struck { // one that is planned for later must not meet the next pass
		(*p.memory()).Heal()
	}
	p.cutAll()
	p.check(ctx)
	return p.struck
}

// fill puts three files on the camera: one of several parts, a small one, and
// the first again.
func (p *pass) fill() {
	p.account = map[string][]byte{}
	device := fmt.Sprintf("F-%d", p.day)
	p.card.Write("CAMERA.JSON", fmt.Appendf(nil, `{"device":%q,"officer":"4711"}`, device), p.now())
	film := torture.Film(p.r, partOfHouse+64<<10+p.r.IntN(3)-1)
	for i, b := range [][]byte{film, torture.Film(p.r, 20+p.r.IntN(3000)), film} {
		name := fmt.Sprintf("DCIM/20261121/%s_4711_20261121T2200%02dZ_%03d.MP4", device, i, i+1)
		p.card.Write(name, b, p.now())
		p.account[name] = b
	}
	p.machine.SetBays(nil)
	p.closeDock() // the camera is docked anew
	p.openDock()
}

// drive lets dock and server work, restarting what stops, until the camera is
// empty and the working copy is there.
func (p *pass) drive(ctx context.Context) {
	p.t.Helper()
	server, err := p.client()
	if err != nil {
		p.t.Fatal(err)
	}
	for turn := 0; ; turn++ {
		if turn == 2000 {
			p.y.Violation("%s: the camera is never emptied: %v is left", p, p.card.Names())
			return
		}
		dockErr := p.turn(ctx, server)
		time.Sleep(2 * time.Millisecond) // for the server's own goroutines
		empty := len(p.left()) == 0
		if empty && dockErr == nil {
			dockErr = p.deriveOne(ctx)
			empty = dockErr == nil
		}
		stopped, struck := p.stopped(ctx), p.struck // in this order: what struck may stop the vault meanwhile
		p.struck = p.struck || (*p.memory()).Ops()-p.before >= p.nth
		switch {
		case p.struck && !struck:
			p.strike()
		case empty:
			return
		case dockErr != nil && p.place == "journal":
			p.restartDock()
		case p.struck && turn%100 == 99 || stopped:
			p.restartServer() // it refuses, or waits long before it tries again
		}
	}
}

// strike follows the operation that went wrong: a power cut ends the machine
// that it met, an error alone may be met by a restart or not.
func (p *pass) strike() {
	m := p.memory()
	switch {
	case p.fault.Stays:
		*m = (*m).Crash(p.r.Uint64())
		p.before = -1 << 30 // operations are counted anew
	case p.r.IntN(2) == 0 && p.place != "journal":
		return // it goes on as long as it thinks it can
	}
	if p.place == "journal" {
		p.restartDock()
	} else {
		p.restartServer()
	}
}

func (p *pass) restartServer() {
	p.t.Helper()
	p.stop()
	p.openServer()
	p.y.Add("restarts of servers", 1)
}

func (p *pass) restartDock() {
	p.t.Helper()
	p.closeDock()
	p.openDock()
	p.y.Add("restarts of docks", 1)
}

// left is what the camera still has of the account.
func (p *pass) left() (names []string) {
	for name := range p.account {
		if _, ok := p.card.Data(name); ok {
			names = append(names, name)
		}
	}
	return names
}

func (p *pass) receipts() map[string]receipt.Receipt {
	p.t.Helper()
	// A crash with nothing pending is a copy.
	kept, err := torture.Receipts(p.book.Crash(p.r.Uint64()), "journal")
	if err != nil {
		p.y.Violation("%s: the journal cannot be read: %v", p, err)
		return nil
	}
	out := map[string]receipt.Receipt{}
	for _, k := range kept {
		b, ok := p.account[k.File]
		if !ok {
			continue // of an earlier pass
		}
		o := torture.NewOriginal(0, "bay", fmt.Sprintf("F-%d", p.day), k.File, b)
		r, err := receipt.Check([]byte(k.Text), p.trust(), receipt.Expect{Device: o.Device, FileName: o.Name, Digest: o.Digest, Length: o.Length})
		if err != nil {
			p.y.Violation("%s: the receipt for %s is not one: %v", p, o, err)
			continue
		}
		out[k.File] = r
	}
	return out
}

// deriveOne makes a working copy of the small file.
func (p *pass) deriveOne(ctx context.Context) error {
	for name, r := range p.receipts() {
		if strings.HasSuffix(name, "_002.MP4") {
			return p.derive(ctx, r)
		}
	}
	return nil // noted by check
}

// cutAll cuts the power of everything, once all has been promised.
func (p *pass) cutAll() {
	p.t.Helper()
	p.stop()
	p.closeDock()
	p.keys, p.disk, p.book = p.keys.Crash(p.r.Uint64()), p.disk.Crash(p.r.Uint64()), p.book.Crash(p.r.Uint64())
	p.openServer()
	p.openDock()
	p.y.Add("power cuts after the promise", 1)
}

// check wants a good receipt for all that was wiped, the bytes of each, and
// store, ledger and catalogue of one mind.
func (p *pass) check(ctx context.Context) {
	p.t.Helper()
	receipts := p.receipts()
	for name, b := range p.account {
		if _, there := p.card.Data(name); there {
			continue // noted by drive
		}
		r, ok := receipts[name]
		if !ok {
			p.y.Violation("%s: %s was wiped and the journal has no receipt", p, name)
			continue
		}
		p.y.Add("receipts checked", 1)
		got, err := p.master(ctx, r)
		if err != nil || !bytes.Equal(got, b) {
			p.y.Violation("%s: the bytes of the receipt for %s do not come back: %v", p, name, err)
			continue
		}
		p.y.Add("receipts read back, bytes equal", 1)
	}
	if _, err := p.custody.Check(ctx, true, func(f custody.Finding) {
		p.y.Violation("%s: fsck: %s %s: %s", p, f.Kind, f.Object, f.Says)
	}); err != nil && evidence.CodeOf(err) != "" {
		p.y.Violation("%s: fsck: %v", p, err)
	}
	p.y.Add("fsck, every byte", 1)
}
