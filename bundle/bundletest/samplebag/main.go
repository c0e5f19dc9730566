// Command samplebag writes a bundle of three media files, made as in package
// bundletest, to look at the viewer with: samplebag DIR FILE FILE FILE.
// It prints the log's key.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"custos/bundle/bundletest"
)

func main() {
	if len(os.Args) != 5 {
		fail(fmt.Errorf("usage: samplebag DIR FILE FILE FILE"))
	}
	var files []bundletest.File
	for _, name := range os.Args[2:] {
		b, err := os.ReadFile(name)
		if err != nil {
			fail(err)
		}
		files = append(files, bundletest.File{Name: "DCIM/20261121/" + filepath.Base(name), Bytes: b})
	}
	s := bundletest.Of(files[0], files[1], files[2])
	s.Disclose()
	if _, err := s.Write(os.Args[1]); err != nil {
		fail(err)
	}
	fmt.Println(s.Log.Key.VKey)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
