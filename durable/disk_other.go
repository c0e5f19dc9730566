//go:build !linux

package durable

import (
	"errors"
	"os"
)

func syncData(f *os.File) error { return f.Sync() }

func uncache(*os.File) error { return errors.ErrUnsupported }

func lock(*os.File) error { return errors.ErrUnsupported }

func space(*os.File) (free, total int64, err error) { return 0, 0, errors.ErrUnsupported }
