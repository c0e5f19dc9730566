package vault

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"

	"custos/evidence"
	"custos/seal"

	"filippo.io/age"
)

// remembered is how many objects, and how many opened file keys, are remembered.
const remembered = 256

// cache remembers what was used last, by name. The zero value is empty.
type cache[T any] struct {
	mu     sync.Mutex
	byName map[string]*list.Element // guarded by mu; of *cached[T]
	order  list.List                // guarded by mu; last used first
}

type cached[T any] struct {
	name  string
	value *T
}

// get is what is remembered under name, or nil.
func (c *cache[T]) get(name string) *T {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byName[name]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached[T]).value
}

func (c *cache[T]) put(name string, value *T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byName == nil {
		c.byName = map[string]*list.Element{}
	}
	if c.byName[name] != nil {
		return
	}
	c.byName[name] = c.order.PushFront(&cached[T]{name, value})
	if c.order.Len() > remembered {
		last := c.order.Back()
		delete(c.byName, last.Value.(*cached[T]).name)
		c.order.Remove(last)
	}
}

func (c *cache[T]) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byName[name]; e != nil {
		delete(c.byName, name)
		c.order.Remove(e)
	}
}

type fileKey struct {
	key   seal.FileKey
	nonce seal.Nonce
}

// bucket is the bucket of an object that exists: there must be one.
func (v *Vault) bucket(ctx context.Context, name string) (Bucket, error) {
	b, err := v.keys.Existing(ctx, name)
	if evidence.CodeOf(err) == evidence.NotFound {
		err = evidence.Wrap(evidence.Corrupt, err, "The key of this object is not in the keystore: it was destroyed, or the keystore is not the one that belongs to this vault")
	}
	return b, err
}

func (v *Vault) fileKey(ctx context.Context, o *object) (*fileKey, error) {
	if k := v.opened.get(o.name); k != nil {
		return k, nil
	}
	b, err := v.bucket(ctx, o.bucket)
	if err != nil {
		return nil, err
	}
	key, nonce, err := o.prefix.Open(b.Identity)
	if err != nil {
		return nil, evidence.Wrap(evidence.Corrupt, err, "The record that opens an object is damaged, or was made with another keystore")
	}
	k := &fileKey{key: key, nonce: nonce}
	v.opened.put(o.name, k)
	return k, nil
}

// Plain is an open object's plaintext. ReadAt decrypts only the chunks it
// touches, fails with Corrupt at damage, and may be called concurrently.
type Plain struct {
	*seal.Reader
	o Object
}

// Close gives the object back.
func (p *Plain) Close() error { return p.o.Close() }

// Open opens a kept object. Codes: Corrupt if it is missing from the store or
// damaged where Open looks, which is its length and its end.
func (v *Vault) Open(ctx context.Context, id evidence.ID) (*Plain, error) {
	o := v.kept.get(string(id))
	if o == nil {
		var err error
		if o, err = v.object(ctx, id); err != nil {
			return nil, err
		}
		v.kept.put(string(id), o)
	}
	return v.plain(ctx, o)
}

// final opens the final object as it lies in the store.
func (v *Vault) final(ctx context.Context, o *object) (Object, error) {
	f, err := v.store.Open(ctx, Final, o.name)
	if evidence.CodeOf(err) == evidence.NotFound {
		return nil, evidence.Wrap(evidence.Corrupt, err, "The store has lost an object that was in it")
	}
	if err != nil {
		if evidence.CodeOf(err) == evidence.Internal {
			err = evidence.Wrap(evidence.Unavailable, err, "The store cannot be read now")
		}
		return nil, err
	}
	if f.Size() != o.sealedLength {
		return nil, errors.Join(evidence.Errorf(evidence.Corrupt, "A stored object was cut or extended: it has %d bytes, not %d", f.Size(), o.sealedLength), f.Close())
	}
	return f, nil
}

func (v *Vault) plain(ctx context.Context, o *object) (*Plain, error) {
	key, err := v.fileKey(ctx, o)
	if err != nil {
		return nil, err
	}
	f, err := v.final(ctx, o)
	if err != nil {
		return nil, err
	}
	r, err := seal.NewReader(key.key, key.nonce, f, o.sealedLength)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Plain{Reader: r, o: f}, nil
}

// ReadBack reads an object whole from final storage, past the page cache where
// the system lets it, and says what it holds; it compares with nothing. It
// works from Finish on, before and after Keep. Codes: Corrupt for damage.
func (v *Vault) ReadBack(ctx context.Context, id evidence.ID) (evidence.Digest, int64, error) {
	o, err := v.finishedOrKept(ctx, id)
	if err != nil {
		return evidence.Digest{}, 0, err
	}
	return v.readBack(ctx, o)
}

func (v *Vault) readBack(ctx context.Context, o *object) (d evidence.Digest, length int64, err error) {
	p, err := v.plain(ctx, o)
	if err != nil {
		return d, 0, err
	}
	defer func() {
		if cerr := p.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("close object: %w", cerr)
		}
	}()
	if u, ok := p.o.(uncacher); ok {
		if err := u.Uncache(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return d, 0, fmt.Errorf("read back: %w", err)
		}
	}
	sum := sha256.New()
	length, err = io.CopyBuffer(sum, io.NewSectionReader(during{ctx, p}, 0, p.Size()), make([]byte, 8*seal.ChunkSize))
	if err != nil {
		return d, 0, err
	}
	sum.Sum(d[:0])
	return d, length, nil
}

// during reads as long as the context lasts.
type during struct {
	ctx context.Context
	r   io.ReaderAt
}

func (r during) ReadAt(p []byte, off int64) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, evidence.Wrap(evidence.Unavailable, err, "The request was given up")
	}
	return r.r.ReadAt(p, off)
}

// Check reads an object back and compares it with what was received. Codes:
// Corrupt for damage of any kind, also if the object is missing.
func (v *Vault) Check(ctx context.Context, id evidence.ID) error {
	o, err := v.finishedOrKept(ctx, id)
	if err != nil {
		return err
	}
	d, length, err := v.readBack(ctx, o)
	if err != nil {
		return err
	}
	if d != o.digest || length != o.length {
		return evidence.Errorf(evidence.Corrupt, "A stored object is not what was received: its digest or length differs")
	}
	return nil
}

// Prefix is an object's prefix: wrapped to recipients, or as it is stored
// where none is given. Prefix and Ciphertext joined are an age file. Codes:
// Invalid for recipients that do not mix (see seal).
func (v *Vault) Prefix(ctx context.Context, id evidence.ID, recipients ...age.Recipient) (seal.Prefix, error) {
	o, err := v.object(ctx, id)
	if err != nil || len(recipients) == 0 {
		if err != nil {
			return nil, err
		}
		return o.prefix, nil
	}
	b, err := v.bucket(ctx, o.bucket)
	if err != nil {
		return nil, err
	}
	return o.prefix.Rewrap([]age.Identity{b.Identity}, recipients...)
}

// Ciphertext opens a kept object as it lies in the store: the payload without
// its prefix. Codes: Corrupt if it is missing or of another length.
func (v *Vault) Ciphertext(ctx context.Context, id evidence.ID) (Object, error) {
	o, err := v.object(ctx, id)
	if err != nil {
		return nil, err
	}
	return v.final(ctx, o)
}
