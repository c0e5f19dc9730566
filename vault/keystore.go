package vault

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"time"

	"custos/durable"
	"custos/evidence"

	"filippo.io/age"
	"golang.org/x/crypto/chacha20poly1305"
)

// Keystore is the folder with the keys that open objects: the server's, the
// buckets', and whom they are also sealed to for the day the server is lost.
// docs/formats/keystore.md describes it. All methods may be called
// concurrently, also by several processes on one folder.
type Keystore struct {
	fsys     durable.FS
	server   *age.HybridIdentity
	wrapTo   []age.Recipient // the server and the recovery recipients
	tailKey  []byte
	chunkKey []byte

	making  sync.Mutex // one bucket is made at a time
	mu      sync.Mutex
	buckets map[string]*age.HybridIdentity // guarded by mu; opened before
	lasting map[string]bool                // guarded by mu; their names are on the medium
}

// Bucket is what seals and opens the objects of one bucket.
type Bucket struct {
	Name      string
	Recipient age.Recipient
	Identity  age.Identity
}

const (
	keystoreFormat = "custos-keystore/1\n"
	formatFile     = "format"
	serverFile     = "server.key"
	recoveryFile   = "recovery.txt"
	tailFile       = "tail.age"
	lockFile       = "lock"
	bucketDir      = "buckets"

	lockPatience = 10 * time.Second
	lockPause    = 20 * time.Millisecond
)

// CreateKeystore makes a keystore in an empty folder and opens it. Every
// bucket is sealed to the server and to recovery, which may be empty: then
// losing the folder loses the footage. It fails with Conflict where there is a
// keystore or a server key already.
func CreateKeystore(fsys durable.FS, recovery ...*age.HybridRecipient) (*Keystore, error) {
	for _, name := range []string{formatFile, serverFile} {
		if _, err := fsys.Stat(name); err == nil {
			return nil, evidence.Errorf(evidence.Conflict, "There is a keystore in this folder already; nothing was changed")
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("create keystore: %w", err)
		}
	}
	if err := durable.MkdirAll(fsys, bucketDir, 0o700); err != nil {
		return nil, fmt.Errorf("create keystore: %w", err)
	}
	server, err := age.GenerateHybridIdentity()
	if err != nil {
		return nil, fmt.Errorf("create keystore: %w", err)
	}
	var list strings.Builder
	wrapTo := []age.Recipient{server.Recipient()}
	for _, r := range recovery {
		list.WriteString(r.String() + "\n")
		wrapTo = append(wrapTo, r)
	}
	secret := make([]byte, 32)
	if _, err := io.ReadFull(rand.Reader, secret); err != nil {
		return nil, fmt.Errorf("create keystore: %w", err)
	}
	tail, err := encrypt(secret, wrapTo)
	if err != nil {
		return nil, fmt.Errorf("create keystore: %w", err)
	}
	for _, f := range []struct {
		name string
		data []byte
	}{
		{recoveryFile, []byte(list.String())},
		{tailFile, tail},
		{serverFile, identityFile(server)},
		{formatFile, []byte(keystoreFormat)}, // last: with it the keystore is whole
	} {
		if err := durable.WriteFile(fsys, f.name, f.data, 0o600); err != nil {
			return nil, fmt.Errorf("create keystore: %w", err)
		}
	}
	return OpenKeystore(fsys)
}

// OpenKeystore opens the keystore in a folder. It fails with NotFound where
// there is none, Denied where others may read the server's key, and Corrupt.
func OpenKeystore(fsys durable.FS) (*Keystore, error) {
	format, err := durable.ReadFile(fsys, formatFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, evidence.Wrap(evidence.NotFound, err, "There is no keystore in this folder")
	}
	if err != nil {
		return nil, fmt.Errorf("open keystore: %w", err)
	}
	if string(format) != keystoreFormat {
		return nil, evidence.Errorf(evidence.Corrupt, "This keystore is of a format that this version does not know")
	}
	info, err := fsys.Stat(serverFile)
	if err != nil {
		return nil, fmt.Errorf("open keystore: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, evidence.Errorf(evidence.Denied, "Others on this machine may read the server's key. Take the right away (chmod 600 %s) and consider the key known", serverFile)
	}
	k := &Keystore{fsys: fsys, buckets: map[string]*age.HybridIdentity{}, lasting: map[string]bool{}}
	key, err := durable.ReadFile(fsys, serverFile)
	if err != nil {
		return nil, fmt.Errorf("open keystore: %w", err)
	}
	if k.server, err = parseIdentity(key); err != nil {
		return nil, evidence.Wrap(evidence.Corrupt, err, "The server's key is damaged. Restore it from the keystore's backup")
	}
	k.wrapTo = []age.Recipient{k.server.Recipient()}
	list, err := durable.ReadFile(fsys, recoveryFile)
	if err != nil {
		return nil, fmt.Errorf("open keystore: %w", err)
	}
	if len(bytes.TrimSpace(list)) > 0 {
		more, err := age.ParseRecipients(bytes.NewReader(list))
		if err != nil {
			return nil, evidence.Wrap(evidence.Corrupt, err, "The list of recovery recipients is damaged. Restore it from the keystore's backup")
		}
		k.wrapTo = append(k.wrapTo, more...)
	}
	return k, k.openTail()
}

func (k *Keystore) openTail() error {
	secret, err := k.unseal(tailFile)
	if err != nil {
		return err
	}
	if k.tailKey, err = hkdf.Key(sha256.New, secret, nil, "custos upload tail 1", chacha20poly1305.KeySize); err != nil {
		return fmt.Errorf("open keystore: %w", err)
	}
	if k.chunkKey, err = hkdf.Key(sha256.New, secret, nil, "custos upload chunk 1", sha256.Size); err != nil {
		return fmt.Errorf("open keystore: %w", err)
	}
	return nil
}

// Recipient is the server's public key.
func (k *Keystore) Recipient() *age.HybridRecipient { return k.server.Recipient() }

// Bucket is the bucket of that name; it is made, durably, if there is none.
// Codes: Invalid for the name; Corrupt; Unavailable while another process
// holds the keystore.
func (k *Keystore) Bucket(ctx context.Context, name string) (Bucket, error) {
	b, err := k.Existing(ctx, name)
	if err == nil {
		return b, k.last(name)
	}
	if evidence.CodeOf(err) != evidence.NotFound {
		return b, err
	}
	k.making.Lock()
	defer k.making.Unlock()
	lock, err := k.lock(ctx)
	if err != nil {
		return Bucket{}, err
	}
	b, err = k.Existing(ctx, name) // somebody may have been faster
	if evidence.CodeOf(err) == evidence.NotFound {
		if err = k.make(name); err == nil {
			b, err = k.Existing(ctx, name) // read again: it must open before anything is sealed to it
		}
	}
	if cerr := lock.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("make bucket: %w", cerr)
	}
	if err == nil {
		err = k.last(name)
	}
	return b, err
}

// last makes sure that a bucket's name is on the medium before anything is
// sealed to it: whoever made the bucket may have crashed, or failed, between
// renaming its file and syncing the folder.
func (k *Keystore) last(name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lasting[name] {
		return nil
	}
	if err := k.fsys.SyncDir(bucketDir); err != nil {
		return fmt.Errorf("make bucket: %w", err)
	}
	k.lasting[name] = true
	return nil
}

func (k *Keystore) lock(ctx context.Context) (io.Closer, error) {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	for {
		l, err := k.fsys.Lock(lockFile)
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, durable.ErrLocked) {
			return nil, fmt.Errorf("make bucket: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil, evidence.Wrap(evidence.Unavailable, err, "The keystore is in use by another process")
		case <-time.After(lockPause):
		}
	}
}

func (k *Keystore) make(name string) error {
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		return fmt.Errorf("make bucket: %w", err)
	}
	data, err := encrypt(identityFile(id), k.wrapTo)
	if err != nil {
		return fmt.Errorf("make bucket: %w", err)
	}
	if err := durable.WriteFile(k.fsys, bucketFile(name), data, 0o600); err != nil {
		return fmt.Errorf("make bucket: %w", err)
	}
	return nil
}

// Existing is the bucket of that name. Codes: NotFound if there is none, or
// none any more; Invalid for the name; Corrupt.
func (k *Keystore) Existing(ctx context.Context, name string) (Bucket, error) {
	if err := ctx.Err(); err != nil {
		return Bucket{}, evidence.Wrap(evidence.Unavailable, err, "The request was given up")
	}
	if err := validBucket(name); err != nil {
		return Bucket{}, err
	}
	k.mu.Lock()
	id := k.buckets[name]
	k.mu.Unlock()
	if id == nil {
		data, err := k.unseal(bucketFile(name))
		if err != nil {
			return Bucket{}, err
		}
		if id, err = parseIdentity(data); err != nil {
			return Bucket{}, evidence.Wrap(evidence.Corrupt, err, "A key of the keystore is damaged. Restore it from the keystore's backup")
		}
		k.mu.Lock()
		k.buckets[name] = id
		k.mu.Unlock()
	}
	return Bucket{Name: name, Recipient: id.Recipient(), Identity: id}, nil
}

func bucketFile(name string) string { return bucketDir + "/" + name + ".age" }

func validBucket(name string) error {
	ok := len(name) >= 1 && len(name) <= 64 && name[0] != '-'
	for _, c := range []byte(name) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-')
	}
	if !ok {
		return evidence.Errorf(evidence.Invalid, "That is not the name of a bucket")
	}
	return nil
}

// unseal reads a file that is sealed to the server.
func (k *Keystore) unseal(name string) ([]byte, error) {
	data, err := durable.ReadFile(k.fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, evidence.Wrap(evidence.NotFound, err, "The keystore has no such key: it was destroyed, or the keystore is not the one the footage was sealed with")
	}
	if err != nil {
		return nil, fmt.Errorf("read keystore: %w", err)
	}
	r, err := age.Decrypt(bytes.NewReader(data), k.server)
	var plain []byte
	if err == nil {
		plain, err = io.ReadAll(r)
	}
	return plain, evidence.Wrap(evidence.Corrupt, err, "A key of the keystore is damaged or sealed to another server. Restore it from the keystore's backup")
}

func encrypt(plain []byte, to []age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to...)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func identityFile(id *age.HybridIdentity) []byte {
	return fmt.Appendf(nil, "# public key: %s\n%s\n", id.Recipient(), id)
}

func parseIdentity(data []byte) (*age.HybridIdentity, error) {
	ids, err := age.ParseIdentities(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	id, ok := ids[0].(*age.HybridIdentity)
	if !ok || len(ids) != 1 {
		return nil, errors.New("not one post-quantum identity")
	}
	return id, nil
}
