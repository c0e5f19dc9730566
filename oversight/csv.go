package oversight

import (
	"context"
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"

	"custos/evidence"
)

// trailColumns are the columns of the trail as CSV: the header fields of an
// event under their own names, then what else it has.
var trailColumns = []string{"event", "at", "verb", "phase", "item", "actor_kind", "actor_id", "actor_name", "actor_number", "actor_role",
	"address", "session", "purpose", "reference", "note", "other_fields", "item_seq", "log_index"}

// csv writes the answer as RFC 4180 in UTF-8.
func (e *Export) csv(ctx context.Context, w io.Writer) (int, error) {
	out := csv.NewWriter(w)
	columns, row := trailColumns, trailRow
	if e.report {
		columns, row = reportColumns, reportRow
	}
	if err := out.Write(columns); err != nil {
		return 0, err
	}
	n, err := e.each(ctx, func(ev TrailEvent) error {
		cells := row(ev)
		for i, c := range cells {
			cells[i] = harmless(c)
		}
		return out.Write(cells)
	})
	if err != nil {
		return n, err
	}
	out.Flush()
	return n, out.Error()
}

// harmless keeps a spreadsheet from taking a value for a formula: names of
// files and notes are whatever a camera or a person wrote. Such a value gets an
// apostrophe in front (OWASP, CSV Injection); the JSON form has it as it was.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n|", rune(s[0])) || strings.HasPrefix(s, "＝") || strings.HasPrefix(s, "＋") || strings.HasPrefix(s, "－") || strings.HasPrefix(s, "＠") {
		return "'" + s
	}
	return s
}

// get is the value of a field, "" where the event has none.
func (ev TrailEvent) get(name string) string { return ev.entry.Get(name) }

// other are the fields of the act itself, as "name=value; name=value".
func (ev TrailEvent) other() string {
	var parts []string
	for _, f := range ev.Fields {
		if !slices.Contains(trailColumns, f.Name) {
			parts = append(parts, f.Name+"="+f.Value)
		}
	}
	return strings.Join(parts, "; ")
}

func (ev TrailEvent) logIndex() string {
	if ev.Index < 0 {
		return ""
	}
	return strconv.FormatInt(ev.Index, 10)
}

func trailRow(ev TrailEvent) []string {
	var cells []string
	for _, name := range trailColumns[:15] {
		cells = append(cells, ev.get(name))
	}
	return append(cells, ev.other(), strconv.FormatUint(ev.ItemSeq, 10), ev.logIndex())
}

// reportColumns are the fields of R3, as HMCTS's public logging service names
// them, and what R2 and R21 ask for besides.
var reportColumns = []string{"category", "phase", "created_at", "created_by_type", "created_by_id", "created_by_name", "created_by_number",
	"created_by_role", "business_identifier", "ip_address", "recipient", "individuals_concerned", "purpose", "reference", "event", "log_index"}

func reportRow(ev TrailEvent) []string {
	return []string{operationOf(evidence.Verb(ev.get("verb"))), ev.get("phase"), ev.get("at"), ev.get("actor_kind"), ev.get("actor_id"), ev.get("actor_name"),
		ev.get("actor_number"), ev.get("actor_role"), string(ev.Item), ev.get("address"), ev.get("recipient"), ev.concerned(), ev.get("purpose"),
		ev.get("reference"), string(ev.ID), ev.logIndex()}
}

// concerned are the people whose data it is, as far as they are known: the
// officer whose footage it is, and whom the event names itself.
func (ev TrailEvent) concerned() string {
	var out []string
	if ev.owner != "" {
		out = append(out, "account "+string(ev.owner))
	}
	for _, name := range []string{"officer", "subject", "person"} {
		if v := ev.get(name); v != "" {
			out = append(out, name+" "+v)
		}
	}
	return strings.Join(out, "; ")
}
