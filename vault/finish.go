package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding"
	"errors"
	"fmt"
	"io"

	"custos/evidence"
	"custos/seal"

	"filippo.io/age"
)

// Finish ends an upload: the last chunk is sealed and the object is in final
// storage, durably. Finishing again gives the same answer, also after Keep.
// Codes: Conflict while bytes of the announced length are missing.
func (v *Vault) Finish(ctx context.Context, id evidence.ID) (Sealed, error) {
	if err := v.taking(); err != nil {
		return Sealed{}, err
	}
	release, err := v.hold(id)
	if err != nil {
		return Sealed{}, err
	}
	defer release()
	o, err := v.finishedOrKept(ctx, id)
	if err == nil {
		return Sealed{o.id, o.digest, o.length}, nil
	}
	if evidence.CodeOf(err) != evidence.NotFound {
		return Sealed{}, err
	}
	u, err := v.upload(ctx, id)
	if err == nil && u.state == abandoned {
		err = unknown()
	}
	if err != nil {
		return Sealed{}, err
	}
	if u.length >= 0 && u.offset() != u.length {
		return Sealed{}, evidence.Errorf(evidence.Conflict, "Only %d of %d bytes have arrived", u.offset(), u.length)
	}
	ctx = context.WithoutCancel(ctx) // to the end, once begun
	w, err := v.writer(ctx, u)
	if err != nil {
		return Sealed{}, err
	}
	return w.finish(ctx)
}

func (w *writer) finish(ctx context.Context) (Sealed, error) {
	u := w.u
	length := u.offset()
	// A store that has finished the object already had all of it: it answers
	// Conflict, and a crash came between that and the row's last change.
	if err := w.put(ctx, w.plain, true); err != nil && (evidence.CodeOf(err) != evidence.Conflict || u.state != finishing) {
		return Sealed{}, err
	}
	if err := w.v.stored(w.v.store.Finish(ctx, u.name, seal.SealedSize(length))); err != nil {
		return Sealed{}, err
	}
	w.sum.Write(w.plain)
	w.sum.Sum(u.digest[:0])
	u.state, u.length, u.pending, u.tail, u.midstate = finished, length, nil, nil, nil
	if err := w.v.save(ctx, u); err != nil {
		return Sealed{}, err
	}
	return Sealed{u.id, u.digest, u.length}, nil
}

// anewChunks is how many chunks are copied at a time when sealing anew.
const anewChunks = 16

// sealAnew moves the durable chunks under a new file key and name, because the
// sender came back with other bytes than those whose ciphertext may be in the
// store already. docs/formats/keystore.md says what a crash leaves.
func (w *writer) sealAnew(ctx context.Context) error {
	v, u := w.v, w.u
	prefix, sealer, err := v.newKey(ctx, u.bucket)
	if err != nil {
		return err
	}
	next := v.newName()
	u.other = next
	if err := v.save(ctx, u); err != nil {
		return err
	}
	if err := v.stored(v.store.Begin(ctx, next)); err != nil {
		return err
	}
	if err := w.copyChunks(ctx, sealer, next); err != nil {
		return err
	}
	u.name, u.other, u.prefix, u.pending = next, u.name, prefix, nil
	if err := v.save(ctx, u); err != nil {
		return err
	}
	w.sealer = sealer
	v.log.InfoContext(ctx, "an upload went on with other bytes than before; it was sealed anew", "upload", u.id, "chunks", u.chunks)
	return v.dropOther(ctx, u)
}

func (w *writer) copyChunks(ctx context.Context, sealer *seal.Sealer, next string) error {
	v, u := w.v, w.u
	r, err := v.chunks(ctx, u)
	if err != nil {
		return err
	}
	sum := sha256.New()
	buf := make([]byte, min(anewChunks, v.part)*seal.ChunkSize)
	for at := int64(0); at < u.chunks && err == nil; {
		n := min(int64(len(buf)/seal.ChunkSize), u.chunks-at)
		plain := buf[:n*seal.ChunkSize]
		if _, err = io.ReadFull(r, plain); err != nil {
			err = damaged(err)
			break
		}
		sum.Write(plain)
		w.sealed = sealer.Seal(w.sealed[:0], plain, uint64(at), false)
		err = v.stored(v.store.PutPart(ctx, next, at*sealedChunk, w.sealed))
		at += n
	}
	if cerr := r.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("close object: %w", cerr)
	}
	if err != nil || u.chunks == 0 {
		return err
	}
	state, err := sum.(encoding.BinaryMarshaler).MarshalBinary()
	if err == nil && !bytes.Equal(state, u.midstate) {
		err = damaged(errors.New("the durable chunks are not what was received"))
	}
	return err
}

// dropOther removes what sealing anew, or an attempt at it, left over.
func (v *Vault) dropOther(ctx context.Context, u *upload) error {
	if u.other == "" {
		return nil
	}
	v.opened.forget(u.other)
	if err := v.stored(v.store.Remove(ctx, Incoming, u.other)); err != nil {
		return err
	}
	u.other = ""
	return v.save(ctx, u)
}

func damaged(err error) error {
	var e *evidence.Error
	if errors.As(err, &e) && e.Code != evidence.NotFound {
		return err
	}
	return evidence.Wrap(evidence.Corrupt, err, "The stored bytes of an upload are damaged. The upload must start again")
}

// chunks is the plaintext of an upload's sealed chunks, while it is received.
func (v *Vault) chunks(ctx context.Context, u *upload) (io.ReadCloser, error) {
	if u.chunks == 0 {
		return io.NopCloser(bytes.NewReader(nil)), nil
	}
	b, err := v.bucket(ctx, u.bucket)
	if err != nil {
		return nil, err
	}
	o, err := v.store.Open(ctx, Incoming, u.name)
	if evidence.CodeOf(err) == evidence.NotFound && u.state == finishing {
		o, err = v.store.Open(ctx, Final, u.name)
	}
	if err != nil {
		return nil, damaged(err)
	}
	// The object has no end yet, so a seal.Reader would refuse it. age reads
	// its chunks in order, each checked, and is never asked for the end.
	whole := io.MultiReader(bytes.NewReader(u.prefix), io.NewSectionReader(o, 0, u.chunks*sealedChunk))
	r, err := age.Decrypt(whole, b.Identity)
	if err != nil {
		return nil, errors.Join(damaged(err), o.Close())
	}
	return readCloser{io.LimitReader(r, u.chunks*seal.ChunkSize), o}, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// ReadReceived gives back the plaintext of what an upload has received, for
// joining uploads. Whoever calls it closes the reader. Reads fail with Corrupt
// for damage.
func (v *Vault) ReadReceived(ctx context.Context, id evidence.ID) (io.ReadCloser, error) {
	o, err := v.finishedOrKept(ctx, id)
	if err == nil {
		p, err := v.plain(ctx, o)
		if err != nil {
			return nil, err
		}
		return readCloser{io.NewSectionReader(p, 0, p.Size()), p}, nil
	}
	if evidence.CodeOf(err) != evidence.NotFound {
		return nil, err
	}
	u, err := v.upload(ctx, id)
	if err == nil && u.state == abandoned {
		err = unknown()
	}
	if err != nil {
		return nil, err
	}
	tail, err := v.openTail(u)
	if err != nil {
		return nil, err
	}
	r, err := v.chunks(ctx, u)
	if err != nil {
		return nil, err
	}
	return readCloser{io.MultiReader(corrupted{r}, bytes.NewReader(tail)), r}, nil
}

// corrupted gives the errors of age's reader their code.
type corrupted struct{ r io.Reader }

func (c corrupted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = damaged(err)
	}
	return n, err
}
