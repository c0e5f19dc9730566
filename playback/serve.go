package playback

import (
	"fmt"
	"net/http"
	"time"

	"custos/custody"
)

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
	http.ServeContent(w, r, "", time.Time{}, content.Cursor())
	return nil
}
