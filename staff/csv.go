package staff

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"custos/evidence"
)

// The columns of a staff file; docs/formats/staff-csv.md says what they mean.
const (
	colLogin  = "login"
	colName   = "name"
	colNumber = "number"
	colRole   = "role"
	colUnit   = "unit"
	colLead   = "lead"
	colFrom   = "from"
)

var columns = []string{colLogin, colName, colNumber, colRole, colUnit, colLead, colFrom}

// The size of a staff file: 22,000 people of 100 bytes are 2.2 MB.
const (
	MaxFile  = 8 << 20
	maxLines = 50_000
)

// row is one line as the file has it. Empty = not said.
type row struct {
	line   int // of the file, from 1
	values map[string]string
}

// parseFile reads a staff file. It fails with Invalid, naming the line, for
// one that is not CSV with the columns of the format; what the values mean is
// judged line by line afterwards.
func parseFile(file []byte) ([]row, error) {
	if len(file) > MaxFile {
		return nil, evidence.Errorf(evidence.Invalid, "The file is larger than %d MB. Nothing was changed.", MaxFile>>20)
	}
	file = bytes.TrimPrefix(file, []byte("\xef\xbb\xbf")) // spreadsheets write it
	if !utf8.Valid(file) {
		return nil, evidence.Errorf(evidence.Invalid, "The file is not UTF-8 text. Nothing was changed; save it as CSV UTF-8.")
	}
	r := csv.NewReader(bytes.NewReader(file))
	r.FieldsPerRecord = -1
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, evidence.Errorf(evidence.Invalid, "The file is empty. Nothing was changed.")
	}
	if err != nil {
		return nil, notCSV(err)
	}
	if err := checkHead(head); err != nil {
		return nil, err
	}
	var rows []row
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, notCSV(err)
		}
		line, _ := r.FieldPos(0)
		if len(rows) == maxLines {
			return nil, evidence.Errorf(evidence.Invalid, "The file has more than %d lines. Nothing was changed.", maxLines)
		}
		if len(record) != len(head) {
			return nil, evidence.Errorf(evidence.Invalid, "Line %d has %d values and the first line names %d columns. Nothing was changed.", line, len(record), len(head))
		}
		v := make(map[string]string, len(head))
		for i, name := range head {
			v[name] = strings.TrimSpace(record[i])
		}
		rows = append(rows, row{line, v})
	}
}

// checkHead brings the names of columns into the form of the constants.
func checkHead(head []string) error {
	for i := range head {
		head[i] = strings.ToLower(strings.TrimSpace(head[i]))
		if !slices.Contains(columns, head[i]) {
			return evidence.Errorf(evidence.Invalid, "Column %d of the first line is none of: %s. Nothing was changed.", i+1, strings.Join(columns, ", "))
		}
		if slices.Contains(head[:i], head[i]) {
			return evidence.Errorf(evidence.Invalid, "The first line names the column %s twice. Nothing was changed.", head[i])
		}
	}
	if !slices.Contains(head, colLogin) {
		return evidence.Errorf(evidence.Invalid, "The first line names no column login. Nothing was changed.")
	}
	return nil
}

func notCSV(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return evidence.Errorf(evidence.Invalid, "Line %d is not CSV: a quotation mark is missing or out of place. Nothing was changed.", p.Line)
	}
	return fmt.Errorf("read staff file: %w", err)
}

// parseLead reads a lead column; said is false for an empty one.
func parseLead(s string) (lead, said, ok bool) {
	switch strings.ToLower(s) {
	case "":
		return false, false, true
	case "yes", "y", "true", "1":
		return true, true, true
	case "no", "n", "false", "0":
		return false, true, true
	}
	return false, false, false
}

// parseFrom reads a from column: a time as in RFC 3339, or a day, which begins
// at midnight in zone. The zero time for an empty one.
func parseFrom(s string, zone *time.Location) (time.Time, bool) {
	if s == "" {
		return time.Time{}, true
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil {
		return t.UTC(), t.Year() >= 1970
	}
	t, err := time.Parse(time.RFC3339, s)
	return t.UTC().Truncate(time.Microsecond), err == nil && t.Year() >= 1970
}
