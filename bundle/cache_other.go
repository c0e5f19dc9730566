//go:build !linux

package bundle

import "os"

// dropCache does nothing: there is no portable way to ask for it.
func dropCache(*os.File) {}
