// Command samplebag writes a bundle to look at the viewer with, made as in
// package bundletest: samplebag DIR [FILE FILE FILE]. Without files the masters
// are filler, and the first has a hostile name. It prints the log's key.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"custos/bundle/bundletest"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 && len(args) != 4 {
		return errors.New("usage: samplebag DIR [FILE FILE FILE]")
	}
	s := bundletest.New()
	if len(args) == 4 {
		var files []bundletest.File
		for _, name := range args[1:] {
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			files = append(files, bundletest.File{Name: "DCIM/20261121/" + filepath.Base(name), Bytes: b})
		}
		s = bundletest.Of(files[0], files[1], files[2])
	}
	s.Disclose()
	if _, err := s.Write(args[0]); err != nil {
		return err
	}
	fmt.Println(s.Log.Key.VKey)
	return nil
}
