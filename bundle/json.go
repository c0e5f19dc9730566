package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// readJSON reads a file of version 1 into value.
func (v *verifier) readJSON(check, name string, value any) bool {
	b, ok := v.read(check, name, maxJSON)
	if !ok {
		return false
	}
	var is struct {
		Version int `json:"version"`
	}
	if err := parseJSON(b, &is); err != nil {
		v.add(check, name, Failed, "The file is not JSON that everybody reads in one way.")
		return false
	}
	if is.Version != version {
		v.add(check, name, Failed, "The file is of version %d; this program reads version %d.", is.Version, version)
		return false
	}
	if err := json.Unmarshal(b, value); err != nil {
		v.add(check, name, Failed, "The file does not have the shape that it must have.")
		return false
	}
	return true
}

// parseJSON is json.Unmarshal, but refuses text that another reader could take
// for something else: this one matches names in any case and takes the last of
// two, a browser does neither.
func parseJSON(b []byte, value any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if err := plainValue(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the value")
	}
	return json.Unmarshal(b, value)
}

func plainValue(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	if depth > 64 {
		return errors.New("nested too deep")
	}
	names := map[string]bool{}
	for d.More() {
		if open == '{' {
			name, err := d.Token()
			if err != nil {
				return err
			}
			folded := strings.ToLower(fmt.Sprint(name))
			if names[folded] || strings.IndexFunc(folded, func(r rune) bool { return r > '~' }) >= 0 {
				return errors.New("a name occurs twice, or is not ASCII")
			}
			names[folded] = true
		}
		if err := plainValue(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token() // the closing bracket
	return err
}
