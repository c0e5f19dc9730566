package vault

import (
	"context"
	"io"

	"custos/evidence"
)

// Store is one place that keeps sealed objects: a folder, a bucket of S3 or
// Azure. It knows names and bytes, neither keys nor footage. Methods may be
// called concurrently, for one name too; the vault writes to one name from one
// goroutine at a time. Names are 3 to 64 characters of a-z and 0-9.
//
// An object is first Incoming, where parts are put, then Final. Packages that
// implement Store run vaulttest.Store.
//
// Errors carry codes: NotFound; Conflict for writing to what is Final, and for
// finishing what is too short; Full where there is no room, now, for more;
// Unavailable where the place cannot be reached and nothing is broken by
// trying again; Invalid for a name or number that cannot be. An error with no
// such code means that a write cannot be relied on: the vault then takes
// nothing in until it is opened again.
type Store interface {
	// Begin makes an empty incoming object. Where there is one it changes
	// nothing.
	Begin(ctx context.Context, name string) error

	// PutPart writes p at offset (bytes) of the incoming object. When it has
	// returned nil, p is durable. Parts may come in any order and again; bytes
	// put again replace the old ones. After an error the range holds anything.
	PutPart(ctx context.Context, name string, offset int64, p []byte) error

	// Finish makes the first size bytes of the incoming object the final
	// object, durably. For what is final with that size it does nothing but
	// make sure that it is durable.
	Finish(ctx context.Context, name string, size int64) error

	// Open opens an object for reading: what was put so far, where it is
	// Incoming.
	Open(ctx context.Context, place Place, name string) (Object, error)

	// Remove removes an object, durably. It is no error if there is none.
	Remove(ctx context.Context, place Place, name string) error

	// List passes all names of a place that come after the name after ("" =
	// from the start), in an order of the store's own that does not change. An
	// error of fn ends it and is returned.
	List(ctx context.Context, place Place, after string, fn func(name string) error) error
}

// Place is where in a store an object is.
type Place string

// The places.
const (
	Incoming Place = "incoming"
	Final    Place = "final"
)

// Object is an open object of a store. ReadAt may be called concurrently.
type Object interface {
	io.ReaderAt
	io.Closer
	Size() int64 // bytes
}

// spacer is a Store that knows its room, in bytes.
type spacer interface {
	Space() (free, total int64, err error)
}

// uncacher is an Object that can forget what was read before, so that the next
// read comes from the medium.
type uncacher interface {
	Uncache() error
}

func validName(name string) error {
	ok := len(name) >= 3 && len(name) <= 64
	for _, c := range []byte(name) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9')
	}
	if !ok {
		return evidence.Errorf(evidence.Invalid, "that is not the name of a stored object")
	}
	return nil
}
