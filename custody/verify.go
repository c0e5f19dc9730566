package custody

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"custos/catalogue"
	"custos/database"
	"custos/evidence"
	"custos/ledger"
	"custos/vault"
)

// Verify reads every master of a recording from final storage, whole, and
// compares it with the digest it was collected with. Both the attempt and the
// result are recorded. Errors: NotFound, Denied; Corrupt names the segment
// that is not what was collected.
func (c *Custody) Verify(ctx context.Context, actor evidence.Actor, recording evidence.ID) error {
	r, err := c.Catalogue.Get(ctx, recording)
	if err != nil {
		return err
	}
	if err := c.allow(ctx, actor, evidence.Verify, r.ID, r.Placing, evidence.Purpose{}); err != nil {
		return err
	}
	c.Step("verify.intent")
	if _, err := c.record(ctx, ledger.Event{Item: recording, Verb: evidence.Verify, Phase: evidence.Intent, Actor: actor}); err != nil {
		return err
	}
	var bad []error
	var fields []evidence.Field
	for _, s := range r.Segments {
		err := c.readBack(ctx, s)
		result := "as collected"
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			bad = append(bad, err)
			result = short(err)
		}
		fields = append(fields, evidence.F(fmt.Sprintf("segment_%d", s.Number), result))
	}
	phase := evidence.Outcome
	if len(bad) > 0 {
		phase = evidence.Failed
	}
	if _, err := c.record(ctx, ledger.Event{Item: recording, Verb: evidence.Verify, Phase: phase, Actor: actor, Fields: fields}); err != nil {
		return err
	}
	return errors.Join(bad...)
}

func (c *Custody) readBack(ctx context.Context, s evidence.Segment) error {
	digest, length, err := c.Vault.ReadBack(ctx, s.Object)
	if err != nil {
		return err
	}
	if digest != s.Digest || length != s.Length {
		return evidence.Errorf(evidence.Corrupt, "Segment %d of recording %s is not what was collected.", s.Number, s.Recording)
	}
	return nil
}

// Finding is one thing that is not as it must be.
type Finding struct {
	Kind      string      `json:"kind"` // damaged, missing, extra, unrecorded, differs
	Object    string      `json:"object,omitempty"`
	Recording evidence.ID `json:"recording,omitempty"`
	Segment   int         `json:"segment,omitempty"`
	Says      string      `json:"says"`
}

// Examined counts what Check looked at.
type Examined struct {
	Objects    int   `json:"objects"`
	Bytes      int64 `json:"bytes"` // of plaintext read; 0 unless deep
	Recordings int   `json:"recordings"`
	Entries    int64 `json:"entries"` // of the ledger
}

// Check compares store, ledger and catalogue item by item and reports what
// does not fit; nothing is changed. deep reads every byte of every object.
// Errors mean that the check itself could not go on.
func (c *Custody) Check(ctx context.Context, deep bool, report func(Finding)) (Examined, error) {
	k := &check{c: c, report: report, kept: map[evidence.ID]vault.ObjectInfo{}, listed: map[evidence.ID]bool{},
		logged: map[evidence.ID]map[int]bool{}, officers: map[evidence.ID]map[string]bool{}, events: map[evidence.ID]bool{}}
	if err := k.objects(ctx, deep); err != nil {
		return k.done, err
	}
	if err := k.catalogue(ctx); err != nil {
		return k.done, err
	}
	if err := k.ledger(ctx); err != nil {
		return k.done, err
	}
	return k.done, nil
}

type check struct {
	c      *Custody
	report func(Finding)
	done   Examined
	kept   map[evidence.ID]vault.ObjectInfo // in the vault
	listed map[evidence.ID]bool             // in the catalogue

	// By recording, in the ledger: the segments collected, and the officers
	// whom their cameras named.
	logged   map[evidence.ID]map[int]bool
	officers map[evidence.ID]map[string]bool
	events   map[evidence.ID]bool // of all collections
}

// objects looks at the store: what is missing, extra or damaged.
func (k *check) objects(ctx context.Context, deep bool) error {
	gone := map[evidence.ID]bool{}
	if err := k.c.Vault.Strays(ctx, func(s vault.Stray) error {
		f := Finding{Kind: "extra", Object: s.Name, Says: "The store holds an object that the service knows nothing of."}
		if s.Missing {
			gone[evidence.ID(s.Name)] = true
			f = Finding{Kind: "missing", Object: s.Name, Says: "The store lacks an object that was kept."}
		}
		k.report(f)
		return nil
	}); err != nil {
		return err
	}
	if err := k.c.Vault.Objects(ctx, func(o vault.ObjectInfo) error {
		k.kept[o.ID] = o
		k.done.Objects++
		return nil
	}); err != nil {
		return err
	}
	if !deep {
		return nil
	}
	for id, o := range k.kept {
		if gone[id] {
			continue
		}
		err := k.c.Vault.Check(ctx, id)
		switch {
		case err == nil:
			k.done.Bytes += o.Length
		case ctx.Err() != nil:
			return ctx.Err()
		default:
			k.report(Finding{Kind: "damaged", Object: string(id), Says: evidence.MessageOf(err)})
		}
	}
	return nil
}

// catalogue compares what is listed with what is kept.
func (k *check) catalogue(ctx context.Context) error {
	if err := k.c.Catalogue.Objects(ctx, func(o catalogue.Object) error {
		k.listed[o.ID] = true
		kept, ok := k.kept[o.ID]
		switch {
		case !ok:
			if _, err := k.c.Vault.Prefix(ctx, o.ID); evidence.CodeOf(err) != evidence.NotFound {
				return err // kept since the vault was listed, or cannot be known
			}
			k.report(Finding{Kind: "missing", Object: string(o.ID), Recording: o.Recording, Segment: o.Segment,
				Says: "The catalogue lists a file that the vault does not have."})
		case kept.Digest != o.Digest || kept.Length != o.Length:
			k.report(Finding{Kind: "differs", Object: string(o.ID), Recording: o.Recording, Segment: o.Segment,
				Says: "Vault and catalogue do not agree on digest or length."})
		}
		return nil
	}); err != nil {
		return err
	}
	for id := range k.kept {
		if !k.listed[id] {
			k.report(Finding{Kind: "extra", Object: string(id), Says: "The vault has an object that no recording lists."})
		}
	}
	return nil
}

// ledger recomputes the log and compares each collection with the catalogue.
func (k *check) ledger(ctx context.Context) error {
	if err := k.c.Ledger.Audit(ctx, nil); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		k.damaged(err)
	}
	st, err := k.c.Ledger.Status(ctx)
	if err != nil {
		return err
	}
	k.done.Entries = st.Events
	if err := k.c.eachCollected(ctx, func(upload evidence.ID, a arrival) error { return k.collection(ctx, upload, a) }); err != nil {
		return err
	}
	if err := k.vanished(ctx); err != nil {
		return err
	}
	return k.c.Catalogue.Objects(ctx, func(o catalogue.Object) error {
		if o.Kind == "" && !k.logged[o.Recording][o.Segment] {
			if _, err := k.c.collected(ctx, o.ID); evidence.CodeOf(err) != evidence.NotFound {
				return err // collected since the collections were listed, or cannot be known
			}
			k.report(Finding{Kind: "unrecorded", Object: string(o.ID), Recording: o.Recording, Segment: o.Segment,
				Says: "The catalogue lists a master whose collection is not in the ledger."})
		}
		if officers := k.officers[o.Recording]; officers != nil {
			delete(k.officers, o.Recording) // once a recording
			return k.officer(ctx, o.Recording, officers)
		}
		return nil
	})
}

// vanished looks for collections that the ledger has and the service's own
// tables have not: who deletes a recording everywhere else cannot delete it
// there.
func (k *check) vanished(ctx context.Context) error {
	collections := ledger.Search{Verbs: []evidence.Verb{evidence.Collect}, Phase: evidence.Outcome}
	for after := (ledger.Place{}); ; {
		page, err := k.c.Ledger.Search(ctx, collections, after, historyPage)
		if evidence.CodeOf(err) == evidence.Corrupt {
			return nil // the audit has said so
		}
		if err != nil {
			return err
		}
		for _, e := range page.Entries {
			if k.events[e.Event] {
				continue
			}
			a, err := k.c.collected(ctx, evidence.ID(e.Get("upload")))
			switch {
			case err == nil && a.event == e.Event: // collected since the collections were listed
			case err == nil || evidence.CodeOf(err) == evidence.NotFound:
				k.report(Finding{Kind: "missing", Object: e.Get("upload"), Recording: e.Item,
					Says: "The ledger has a collection that the service knows nothing of any more."})
			default:
				return err
			}
		}
		if after = page.Next; !page.More {
			return nil
		}
	}
}

// damaged reports each entry that an audit of the ledger found wrong.
func (k *check) damaged(err error) {
	var a *ledger.AuditError
	if !errors.As(err, &a) {
		k.report(Finding{Kind: "damaged", Object: "ledger", Says: evidence.MessageOf(err)})
		return
	}
	for _, d := range a.Damaged {
		k.report(Finding{Kind: "damaged", Object: "ledger", Recording: d.Item, Says: d.String()})
	}
	if more := a.Total - len(a.Damaged); more > 0 {
		k.report(Finding{Kind: "damaged", Object: "ledger", Says: fmt.Sprintf("The ledger is damaged in %d more places.", more)})
	}
}

// collection compares one collection's event with the catalogue.
func (k *check) collection(ctx context.Context, upload evidence.ID, a arrival) error {
	k.done.Recordings++
	if k.logged[a.recording] == nil {
		k.logged[a.recording], k.officers[a.recording] = map[int]bool{}, map[string]bool{}
	}
	k.logged[a.recording][a.segment], k.events[a.event] = true, true
	f := Finding{Kind: "differs", Recording: a.recording, Segment: a.segment}
	e, err := k.c.entry(ctx, a.recording, a.itemSeq)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		f.Kind, f.Says = "unrecorded", "A collection is not in the ledger."
	case e.Event != a.event || e.Get("upload") != string(upload) || e.Get("verb") != string(evidence.Collect):
		f.Says = "The ledger has another event in the place of a collection."
	default:
		k.officers[a.recording][e.Get("officer")] = true
		r, err := k.c.Catalogue.Get(ctx, a.recording)
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		i := slices.IndexFunc(r.Segments, func(s evidence.Segment) bool { return s.Number == a.segment })
		if err != nil || i < 0 {
			f.Kind, f.Says = "missing", "The ledger has a collection whose segment the catalogue does not list."
		} else {
			f.Says = disagreement(e, upload, r, r.Segments[i])
		}
	}
	if f.Says != "" {
		k.report(f)
	}
	return nil
}

// disagreement says where the catalogue tells something else of a collection
// than its event, "" if nowhere. Only what nobody may change is compared.
func disagreement(e ledger.Entry, upload evidence.ID, r evidence.Recording, s evidence.Segment) string {
	i := slices.IndexFunc(r.Arrivals, func(a evidence.Arrival) bool { return a.ID == upload })
	same := func(name, value string) bool { return e.Get(name) == value }
	switch {
	case !same("sha256", s.Digest.String()) || !same("length", strconv.FormatInt(s.Length, 10)):
		return "Ledger and catalogue do not agree on what was collected."
	case i < 0 || r.Arrivals[i].Segment != s.Number || !same("device", r.Arrivals[i].Device) || !same("file_name", r.Arrivals[i].FileName):
		return "Ledger and catalogue do not agree on how this file arrived."
	case e.Get("known") != "": // another arrival, perhaps of another camera's copy
		return ""
	case !same("device", r.Device) || !same("file_name", s.FileName):
		return "Ledger and catalogue do not agree on camera or file name."
	case !same("device_started", evidence.FormatTime(s.Clock.DeviceStarted)) || !same("trusted_started", evidence.FormatTime(s.Clock.Trusted)):
		return "Ledger and catalogue do not agree on when this was recorded."
	}
	return ""
}

// officer looks whether a recording is of an officer whom a camera named: who
// may watch it hangs on that.
func (k *check) officer(ctx context.Context, recording evidence.ID, named map[string]bool) error {
	r, err := k.c.Catalogue.Get(ctx, recording)
	if err != nil {
		return err
	}
	if !named[r.Officer] {
		k.report(Finding{Kind: "differs", Recording: recording, Says: "Ledger and catalogue do not agree on whose recording this is."})
	}
	return nil
}

// eachCollected goes through all collections in order of their uploads.
func (c *Custody) eachCollected(ctx context.Context, f func(upload evidence.ID, a arrival) error) error {
	type row struct {
		upload evidence.ID
		a      arrival
	}
	for after := ""; ; {
		var page []row
		err := c.DB.Read(ctx, func(tx *database.Tx) error {
			rows, err := tx.Query(ctx, `SELECT upload, recording, segment, event, item_seq FROM custody_collected WHERE upload > ? ORDER BY upload LIMIT 1000`, after)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var r row
				var seq int64
				if err := rows.Scan(&r.upload, &r.a.recording, &r.a.segment, &r.a.event, &seq); err != nil {
					return err
				}
				r.a.itemSeq = uint64(seq)
				page = append(page, r)
			}
			return rows.Err()
		})
		if err != nil {
			return fmt.Errorf("read collections: %w", err)
		}
		for _, r := range page {
			if err := f(r.upload, r.a); err != nil {
				return err
			}
			after = string(r.upload)
		}
		if len(page) < 1000 {
			return nil
		}
	}
}

// States of a store.
const (
	StoreOK      = "ok"
	StoreFull    = "full"    // takes nothing more in; reads go on
	StoreStopped = "stopped" // a write failed; restart after mending the cause
)

// Store is how a place of storage is.
type Store struct {
	Name    string `json:"name"`
	Engine  string `json:"engine"`
	Place   string `json:"place"`
	Free    int64  `json:"bytesFree"`
	Total   int64  `json:"bytesTotal"`
	Objects int64  `json:"objects"`
	Bytes   int64  `json:"bytes"` // kept, sealed
	State   string `json:"state"`
	Message string `json:"message"`
}

// StoreState tells how the store is. Errors: Unavailable.
func (c *Custody) StoreState(ctx context.Context) (Store, error) {
	s := Store{Name: c.Store, Engine: "folder", Place: "this server", State: StoreOK}
	var err error
	if s.Objects, s.Bytes, err = c.Vault.Totals(ctx); err != nil {
		return s, err
	}
	if s.Free, s.Total, err = c.Vault.Space(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return s, err
	}
	if err := c.Vault.Accepts(); err != nil {
		s.State, s.Message = StoreStopped, evidence.MessageOf(err)
		if evidence.CodeOf(err) == evidence.Full {
			s.State = StoreFull
		}
	}
	return s, nil
}
