package playback

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"custos/custody"
)

// serve answers with content, whole or by range, and closes it. What goes
// wrong while bytes are on their way can no longer be answered: the answer
// ends short of its announced length, and the error is returned for the log.
func serve(w http.ResponseWriter, r *http.Request, content *custody.Content) (err error) {
	defer func() {
		if cerr := content.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("close content: %w", cerr)
		}
	}()
	h := w.Header()
	typ := content.Type
	if typ == "" {
		typ = "application/octet-stream"
	}
	h.Set("Content-Type", typ)
	// Browsers keep no copy: a look at it later would leave no record.
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", "inline")
	h.Set("ETag", `"`+content.Digest.String()+`"`)
	body := &remembering{ReadSeeker: content.Cursor()}
	http.ServeContent(w, r, "", time.Time{}, body)
	return body.err
}

// remembering keeps the error that http.ServeContent does not give back.
type remembering struct {
	io.ReadSeeker
	err error
}

func (r *remembering) Read(p []byte) (int, error) {
	n, err := r.ReadSeeker.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}
