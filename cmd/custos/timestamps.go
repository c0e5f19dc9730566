package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"custos/durable"
	"custos/witness"
)

type timestampsCmd struct {
	Dir  string `arg:"" help:"Folder to write to. Files that are there already stay." type:"path"`
	JSON bool   `help:"One JSON object."`
}

// Run writes each timestamp beside the checkpoint that it is over, so that
// OpenSSL can check it.
func (c *timestampsCmd) Run(ctx context.Context, all *cli, s streams) error {
	return opened(ctx, all, s, func(a *app) error {
		if err := os.MkdirAll(c.Dir, 0o700); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
		dir, err := durable.Open(c.Dir)
		if err != nil {
			return err
		}
		n := 0
		err = a.witness.Kept(ctx, func(t witness.Stamp, checkpoint []byte) error {
			n++
			return writeStamp(dir, c.Dir, t, checkpoint)
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s, map[string]any{"dir": c.Dir, "timestamps": n})
		}
		fmt.Fprintf(s.out, "%d timestamps are in %s. Check one with:\n  openssl ts -verify -data NAME.checkpoint -in NAME.tsr -CAfile ROOTS.pem\n", n, c.Dir)
		return nil
	})
}

func writeStamp(dir durable.FS, path string, t witness.Stamp, checkpoint []byte) error {
	name := t.Time.UTC().Format("20060102T150405Z") + "_" + t.Authority
	for _, f := range []struct {
		name string
		b    []byte
	}{{name + ".checkpoint", checkpoint}, {name + ".tsr", t.Response}} {
		_, err := os.Lstat(filepath.Join(path, f.name))
		if err == nil {
			continue
		}
		if !os.IsNotExist(err) {
			return err
		}
		if err := durable.WriteFile(dir, f.name, f.b, fs.FileMode(0o644)); err != nil {
			return err
		}
	}
	return nil
}
