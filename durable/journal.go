package durable

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"sync"

	"custos/evidence"
)

// Journal is a file of records that is only appended to. A record is there for
// good when Append has returned nil.
//
// The file: 16 bytes of journalMagic, 12 random bytes (the salt), the CRC-32C of
// those 28 bytes (uint32, little endian), then records.
// A record is its length in bytes (uint32, little endian), a checksum (uint32,
// little endian) and the bytes. The checksum is CRC-32C (Castagnoli) over the
// salt, the record's offset in the file (uint64, little endian), the length
// field and the bytes. The salt and the offset make sure that record-like
// bytes inside a record, whoever chose them, are not taken for one.
//
// Only the last Append can be torn by a crash. So bytes that are no record are
// a torn tail if no whole record begins anywhere after them, and damage if one
// does. Damage to the very last record alone cannot be told from a torn one.
type Journal struct {
	fsys FS
	name string

	mu     sync.Mutex
	file   File   // guarded by mu; nil once closed
	salt   []byte // guarded by mu
	end    int64  // guarded by mu: where the next record goes
	broken error  // guarded by mu: why nothing is appended any more
}

const (
	journalMagic = "custos journal 1"
	saltEnd      = len(journalMagic) + 12
	journalStart = int64(saltEnd) + 4
	recordHead   = 8

	// MaxRecord is how long a record of a Journal may be, in bytes.
	MaxRecord = 16 << 20
)

// OpenJournal opens the journal name, made if absent, and passes each record
// in turn to replay, which must not keep it. A torn tail is cut off. It fails
// with Corrupt where a record before the last is damaged, and with replay's
// error where there is one.
func OpenJournal(fsys FS, name string, replay func(record []byte) error) (*Journal, error) {
	j := &Journal{fsys: fsys, name: name}
	if _, err := fsys.Stat(name); errors.Is(err, fs.ErrNotExist) {
		if err := j.Rewrite(func(func([]byte) bool) {}); err != nil {
			return nil, err
		}
		return j, nil
	} else if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	data, err := ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if len(data) < int(journalStart) || string(data[:len(journalMagic)]) != journalMagic ||
		binary.LittleEndian.Uint32(data[saltEnd:]) != crc32.Checksum(data[:saltEnd], castagnoli()) {
		return nil, evidence.Errorf(evidence.Corrupt, "%s is not a journal of this program, or its first bytes are damaged. Nothing was changed", path.Base(name))
	}
	j.salt = bytes.Clone(data[len(journalMagic):saltEnd])
	at, last := journalStart, journalStart
	for at < int64(len(data)) {
		rec, ok := j.record(data, at)
		if !ok {
			break
		}
		if err := replay(rec); err != nil {
			return nil, err
		}
		last = at
		at += recordHead + int64(len(rec))
	}
	for later := at + 1; later < int64(len(data)); later++ {
		if _, ok := j.record(data, later); ok {
			return nil, evidence.Errorf(evidence.Corrupt, "%s is damaged at byte %d: records after it are whole, so this is not a write cut short. Nothing was changed", path.Base(name), at)
		}
	}
	j.end = at
	if err := j.reopen(int64(len(data))); err != nil {
		return nil, err
	}
	if err := j.renew(data[last:at], last); err != nil {
		return nil, err
	}
	return j, nil
}

// renew writes the last record again and makes sure of the journal's name. The
// Append that wrote the record may have failed to sync it: then what was read
// came from the page cache, which takes it for written, and only writing it
// again brings it to the medium.
func (j *Journal) renew(last []byte, at int64) error {
	_, err := j.file.WriteAt(last, at)
	if err == nil {
		err = j.fsys.SyncDir(path.Dir(j.name))
	}
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("open journal: %w", err), j.file.Close())
	}
	return nil
}

// record is the record at offset at of the file's bytes.
func (j *Journal) record(data []byte, at int64) ([]byte, bool) {
	rest := data[at:]
	if len(rest) < recordHead {
		return nil, false
	}
	n := int64(binary.LittleEndian.Uint32(rest))
	if n > MaxRecord || n > int64(len(rest))-recordHead {
		return nil, false
	}
	rec := rest[recordHead : recordHead+n]
	return rec, binary.LittleEndian.Uint32(rest[4:]) == j.sum(at, rec)
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func (j *Journal) sum(at int64, rec []byte) uint32 {
	table := castagnoli()
	head := binary.LittleEndian.AppendUint64(bytes.Clone(j.salt), uint64(at))
	head = binary.LittleEndian.AppendUint32(head, uint32(len(rec)))
	return crc32.Update(crc32.Update(0, table, head), table, rec)
}

func (j *Journal) encode(dst []byte, at int64, rec []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(rec)))
	dst = binary.LittleEndian.AppendUint32(dst, j.sum(at, rec))
	return append(dst, rec...)
}

// reopen opens the file for appending and cuts off what stands after j.end.
func (j *Journal) reopen(size int64) error {
	f, err := j.fsys.OpenFile(j.name, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open journal: %w", err)
	}
	if size > j.end {
		if err := f.Truncate(j.end); err != nil {
			return errors.Join(fmt.Errorf("open journal: cut off a torn record: %w", err), f.Close())
		}
	}
	// Records read may have come from the page cache of a process that died
	// before its sync; whoever acts on them needs them on the medium. See renew
	// for one whose sync failed.
	if err := f.Sync(); err != nil {
		return errors.Join(fmt.Errorf("open journal: %w", err), f.Close())
	}
	j.file = f
	return nil
}

// Append adds one record of at most MaxRecord bytes and returns once it is on
// the medium. After a failure the record may or may not be there, and every
// later Append fails with Unavailable until the journal is opened again. It
// may be called concurrently.
func (j *Journal) Append(record []byte) error {
	if len(record) > MaxRecord {
		return evidence.Errorf(evidence.Invalid, "a journal record of %d bytes is longer than %d", len(record), MaxRecord)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.usable(); err != nil {
		return err
	}
	b := j.encode(nil, j.end, record)
	_, err := j.file.WriteAt(b, j.end)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return j.fail(err)
	}
	j.end += int64(len(b))
	return nil
}

// Rewrite replaces every record by those of records, in one step: after a
// crash the journal holds the old ones or the new ones. It is how a journal is
// made smaller. It fails as Append does.
func (j *Journal) Rewrite(records iter.Seq[[]byte]) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return j.usable()
	}
	data := make([]byte, saltEnd)
	copy(data, journalMagic)
	if _, err := io.ReadFull(rand.Reader, data[len(journalMagic):]); err != nil {
		return fmt.Errorf("rewrite journal: %w", err)
	}
	next := Journal{fsys: j.fsys, name: j.name, salt: bytes.Clone(data[len(journalMagic):])}
	data = binary.LittleEndian.AppendUint32(data, crc32.Checksum(data, castagnoli()))
	for rec := range records {
		if len(rec) > MaxRecord {
			return evidence.Errorf(evidence.Invalid, "a journal record of %d bytes is longer than %d", len(rec), MaxRecord)
		}
		data = next.encode(data, int64(len(data)), rec)
	}
	next.end = int64(len(data))
	if err := WriteFile(j.fsys, j.name, data, 0o600); err != nil {
		return j.fail(err)
	}
	if err := next.reopen(next.end); err != nil {
		return j.fail(err)
	}
	old := j.file
	j.file, j.salt, j.end = next.file, next.salt, next.end
	if old != nil {
		if err := old.Close(); err != nil {
			return j.fail(err)
		}
	}
	return nil
}

// Size is how long the journal is, in bytes.
func (j *Journal) Size() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.end
}

// Close ends the journal. Nothing is waiting to be written.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	if j.broken == nil {
		j.broken = fs.ErrClosed
	}
	return err
}

func (j *Journal) usable() error {
	return evidence.Wrap(evidence.Unavailable, j.broken, "The journal stopped after a failed write. What it held before is safe; restart to go on")
}

func (j *Journal) fail(err error) error {
	j.broken = err
	return fmt.Errorf("write journal: %w", err)
}
