package vault

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"custos/evidence"
	"custos/seal"

	"golang.org/x/crypto/chacha20poly1305"
)

// writer takes an upload on from its durable state. It belongs to one call,
// which holds the upload.
type writer struct {
	v      *Vault
	u      *upload
	sealer *seal.Sealer
	sum    hash.Hash // of the chunks that are sealed
	plain  []byte    // what follows them: first the durable tail, then what came since
	sealed []byte    // room for a part's ciphertext
	sure   int64     // the durable offset; the row says so
}

// writer opens an upload's durable state, after removing what an earlier
// sealing anew left behind.
func (v *Vault) writer(ctx context.Context, u *upload) (*writer, error) {
	if err := v.dropOther(ctx, u); err != nil {
		return nil, err
	}
	w := &writer{v: v, u: u, sum: sha256.New(), sure: u.offset()}
	key, err := v.fileKey(ctx, u.object(v.name))
	if err != nil {
		return nil, err
	}
	if w.sealer, err = seal.NewSealer(key.key, key.nonce); err != nil {
		return nil, err
	}
	if u.chunks > 0 {
		if err := w.sum.(encoding.BinaryUnmarshaler).UnmarshalBinary(u.midstate); err != nil {
			return nil, evidence.Wrap(evidence.Corrupt, err, "A record of the vault is damaged")
		}
	}
	w.plain, err = v.openTail(u)
	return w, err
}

// Append adds what r gives to an upload, from offset on, which must be the
// durable offset; it returns the new one. All bytes below that are durable and
// will be there whatever happens, also when Append fails and also where r does:
// what had arrived by then is kept. One Append of an upload at a time.
//
// Codes: Conflict for another offset or an upload that is finished (look at
// Received); Invalid where r gives more than the announced length, whose bytes
// are kept up to that; Unavailable where r fails. It holds two parts in memory
// (see Config.PartSize), and a further MiB while it seals anew.
func (v *Vault) Append(ctx context.Context, id evidence.ID, offset int64, r io.Reader) (int64, error) {
	if err := v.taking(); err != nil {
		return 0, err
	}
	release, err := v.hold(id)
	if err != nil {
		return 0, err
	}
	defer release()
	u, err := v.upload(ctx, id)
	if err == nil && u.state == abandoned {
		err = unknown()
	}
	if err != nil {
		return 0, err
	}
	if u.state != receiving {
		return u.offset(), evidence.Errorf(evidence.Conflict, "This upload is finished; nothing can be added")
	}
	if offset != u.offset() {
		return u.offset(), evidence.Errorf(evidence.Conflict, "This upload goes on at byte %d, not %d", u.offset(), offset)
	}
	// What has arrived is brought to safety also when the sender is gone, and
	// with it the request.
	safe := context.WithoutCancel(ctx)
	w, err := v.writer(safe, u)
	if err != nil {
		return u.offset(), err
	}
	for {
		rerr := w.fill(ctx, r)
		if err := w.flush(safe, rerr != nil); err != nil {
			return w.sure, err
		}
		if errors.Is(rerr, io.EOF) {
			return w.sure, nil
		}
		if rerr != nil {
			return w.sure, rerr
		}
	}
}

// fill reads until a part is full or r has no more. It returns io.EOF at r's
// end.
func (w *writer) fill(ctx context.Context, r io.Reader) error {
	// The chunk more is for when the length is not known: then a full part can
	// only be sealed once a byte behind it has come.
	room := (w.v.part + 1) * seal.ChunkSize
	left := int64(room)
	if w.u.length >= 0 {
		left = min(left, w.u.length-w.u.chunks*seal.ChunkSize)
	}
	limit := int(left)
	for len(w.plain) < room {
		if err := ctx.Err(); err != nil {
			return evidence.Wrap(evidence.Unavailable, err, "The connection broke off. What arrived is kept; go on from there")
		}
		if len(w.plain) == limit && limit < room { // all of it is here; is there more?
			return atEnd(r)
		}
		if len(w.plain) == cap(w.plain) {
			w.plain = slices.Grow(w.plain, min(room, max(4*cap(w.plain), 4*seal.ChunkSize))-len(w.plain))
		}
		n, err := r.Read(w.plain[len(w.plain):min(limit, cap(w.plain))])
		w.plain = w.plain[:len(w.plain)+n]
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		if err != nil {
			return evidence.Wrap(evidence.Unavailable, err, "The connection broke off. What arrived is kept; go on from there")
		}
	}
	return nil
}

// atEnd is io.EOF if r has no more bytes.
func atEnd(r io.Reader) error {
	var one [1]byte
	_, err := io.ReadFull(r, one[:])
	if err == nil {
		return evidence.Errorf(evidence.Invalid, "More bytes came than were announced. The announced ones are kept")
	}
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return evidence.Wrap(evidence.Unavailable, err, "The connection broke off. What arrived is kept; go on from there")
}

// flush brings what fill read to safety: whole chunks into the store, and at
// the end of the call the rest into the row.
func (w *writer) flush(ctx context.Context, end bool) error {
	fresh := int64(len(w.plain)) + w.u.chunks*seal.ChunkSize - w.sure
	if fresh == 0 {
		return nil
	}
	// A chunk is sealed as not last only if a byte follows it for certain:
	// either the announced length says so, or that byte becomes durable, in the
	// tail, together with the chunk. Else the end of the upload could turn out
	// to be an empty last chunk, which the format forbids.
	n := (len(w.plain) - 1) / seal.ChunkSize
	if w.u.length > w.u.chunks*seal.ChunkSize+int64(len(w.plain)) {
		n = len(w.plain) / seal.ChunkSize
	}
	n = min(n, w.v.part)
	part := w.plain[:n*seal.ChunkSize]
	if n > 0 {
		if err := w.put(ctx, part, false); err != nil {
			return err
		}
	}
	rest := w.plain[len(part):] // at most one chunk: see fill's room
	tail := rest
	if !end && w.u.length >= 0 {
		tail = nil // it will go with the next part
	}
	if err := w.commit(ctx, part, tail); err != nil {
		return err
	}
	w.plain = append(w.plain[:0], rest...)
	return nil
}

// commit makes the row say that part is in the store and tail is what follows.
func (w *writer) commit(ctx context.Context, part, tail []byte) error {
	n := len(part) / seal.ChunkSize
	w.sum.Write(part)
	w.u.chunks += int64(n)
	w.u.pending = w.u.pending[min(n*sha256.Size, len(w.u.pending)):]
	var err error
	if w.u.midstate, err = w.sum.(encoding.BinaryMarshaler).MarshalBinary(); err != nil {
		return fmt.Errorf("keep the hash's state: %w", err)
	}
	if w.u.tail, err = w.v.sealTail(w.u, tail); err != nil {
		return err
	}
	if err := w.v.save(ctx, w.u); err != nil {
		return err
	}
	w.sure = w.u.offset()
	return nil
}

// put seals the next chunks and puts them into the store, after committing
// what they are. The row is otherwise as before; last ends the upload.
func (w *writer) put(ctx context.Context, plain []byte, last bool) error {
	sums := w.v.sums(w.u, plain, last)
	if both := min(len(sums), len(w.u.pending)); !bytes.Equal(sums[:both], w.u.pending[:both]) {
		if err := w.sealAnew(ctx); err != nil {
			return err
		}
	}
	if last {
		w.u.state = finishing
	}
	if last || len(sums) > len(w.u.pending) {
		w.u.pending = sums
		if err := w.v.save(ctx, w.u); err != nil {
			return err
		}
	}
	if w.u.chunks == 0 { // the first part; a crash may have come before the object was begun
		if err := w.v.stored(w.v.store.Begin(ctx, w.u.name)); err != nil {
			return err
		}
	}
	w.sealed = slices.Grow(w.sealed[:0], len(plain)+(len(plain)/seal.ChunkSize+1)*seal.Overhead)
	w.sealed = w.sealer.Seal(w.sealed, plain, uint64(w.u.chunks), last)
	return w.v.stored(w.v.store.PutPart(ctx, w.u.name, w.u.chunks*sealedChunk, w.sealed))
}

// sums are the pending entries of the next chunks.
func (v *Vault) sums(u *upload, plain []byte, last bool) []byte {
	var out []byte
	mac := hmac.New(sha256.New, v.keys.chunkKey)
	for chunk := uint64(u.chunks); ; chunk++ {
		n := min(len(plain), seal.ChunkSize)
		if n == 0 && !(last && out == nil) {
			return out
		}
		head := binary.BigEndian.AppendUint64([]byte(u.id), chunk)
		if last && n == len(plain) {
			head = append(head, 1)
		} else {
			head = append(head, 0)
		}
		mac.Reset()
		mac.Write(head)
		mac.Write(plain[:n])
		out = mac.Sum(out)
		plain = plain[n:]
	}
}

func tailData(u *upload) []byte {
	return binary.BigEndian.AppendUint64([]byte(u.id), uint64(u.chunks))
}

// sealTail is the tail's column; nil for no tail.
func (v *Vault) sealTail(u *upload, tail []byte) ([]byte, error) {
	if len(tail) == 0 {
		return nil, nil
	}
	aead, err := chacha20poly1305.NewX(v.keys.tailKey)
	if err != nil {
		return nil, fmt.Errorf("seal tail: %w", err)
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(tail)+aead.Overhead())
	if _, err := io.ReadFull(v.rand, nonce); err != nil {
		return nil, fmt.Errorf("seal tail: %w", err)
	}
	return aead.Seal(nonce, nonce, tail, tailData(u)), nil
}

func (v *Vault) openTail(u *upload) ([]byte, error) {
	if len(u.tail) == 0 {
		return nil, nil
	}
	aead, err := chacha20poly1305.NewX(v.keys.tailKey)
	if err != nil {
		return nil, fmt.Errorf("open tail: %w", err)
	}
	plain, err := aead.Open(nil, u.tail[:aead.NonceSize()], u.tail[aead.NonceSize():], tailData(u))
	return plain, evidence.Wrap(evidence.Corrupt, err, "The record of what an upload has received is damaged, or was made with another keystore. The upload must start again")
}
