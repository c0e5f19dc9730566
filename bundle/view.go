package bundle

import _ "embed" // for the viewer

// viewTemplate is the viewer without data, built from web/verify by
// "npm run build" there.
//
//go:generate npm --prefix ../web/verify run build
//go:embed viewer/view.html
var viewTemplate string

// What stands around the data in view.html.
const (
	dataOpen  = `<script type="application/json" id="bag">`
	dataClose = `</script>`
)
