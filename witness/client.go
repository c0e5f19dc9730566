package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"custos/evidence"
	"custos/tlog"
)

// Limits of what a witness may answer and how long it may take. An ML-DSA-44
// line has 3.3 kB; a witness may send lines of keys that nobody here knows.
const (
	maxAnswer  = 64 << 10 // bytes
	askTimeout = 10 * time.Second
)

// conflict is a witness's word that it has cosigned another size than was
// thought (C2SP tlog-witness, status 409).
type conflict struct{ size int64 }

func (e *conflict) Error() string { return fmt.Sprintf("the witness has cosigned %d entries", e.size) }

// addCheckpoint asks the witness at url, which has cosigned old entries, to
// cosign a checkpoint. It gives the lines of its answer, unchecked; a
// *conflict where old is not what the witness has; else an error with
// Unavailable whose text is fit to be shown.
func (k *Keeper) addCheckpoint(ctx context.Context, url string, old int64, proof []tlog.Hash, checkpoint []byte) ([]string, error) {
	var body bytes.Buffer
	fmt.Fprintf(&body, "old %d\n", old)
	for _, h := range proof {
		fmt.Fprintf(&body, "%s\n", h)
	}
	body.WriteByte('\n')
	body.Write(checkpoint)
	b, resp, err := k.post(ctx, strings.TrimSuffix(url, "/")+"/add-checkpoint", "text/plain; charset=utf-8", body.Bytes(), maxAnswer)
	if err != nil {
		return nil, err
	}
	refused := func(why string) ([]string, error) {
		return nil, evidence.Errorf(evidence.Unavailable, "It refuses: %s (status %d).", why, resp.StatusCode)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n"), nil
	case http.StatusConflict:
		text := strings.TrimSuffix(string(b), "\n")
		size, err := strconv.ParseInt(text, 10, 64)
		if err != nil || size < 0 || size > tlog.MaxSize || strconv.FormatInt(size, 10) != text {
			return refused("it says that it has another size, and not which")
		}
		return nil, &conflict{size}
	case http.StatusNotFound:
		return refused("it does not know this log. Whoever runs it must add its origin and key")
	case http.StatusForbidden:
		return refused("it does not know this log, or has another key of it")
	case http.StatusUnprocessableEntity:
		return refused("what it signed before is not the beginning of this log. Either this is not the log that it knows, or history was rewritten")
	case http.StatusBadRequest:
		return refused("it does not understand the request")
	}
	return refused("it has a fault of its own")
}

// post sends a body and reads at most limit bytes of the answer.
func (k *Keeper) post(ctx context.Context, url, kind string, body []byte, limit int64) ([]byte, *http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, nil, evidence.Wrap(evidence.Unavailable, err, "Its address cannot be used.")
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("User-Agent", "custos")
	resp, err := k.cfg.Client.Do(r)
	if err != nil {
		return nil, nil, evidence.Wrap(evidence.Unavailable, err, "It does not answer.")
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, nil, evidence.Wrap(evidence.Unavailable, err, "Its answer was cut off.")
	}
	if int64(len(b)) > limit {
		return nil, nil, evidence.Errorf(evidence.Unavailable, "Its answer is far too long.")
	}
	return b, resp, nil
}

// ask gets the cosignature of one witness on a checkpoint. have is the size
// that the witness is thought to have; what it has is told to learn. An answer
// that is not the witness's signature is as good as none.
func (k *Keeper) ask(ctx context.Context, w tlog.PolicyWitness, have int64, checkpoint []byte, size int64, learn func(int64)) (tlog.Cosignature, error) {
	var none tlog.Cosignature
	for range 3 { // another server of ours may have been there first
		if have > size {
			return none, &conflict{have}
		}
		var proof []tlog.Hash
		var err error
		if have > 0 && have < size {
			if proof, err = k.cfg.Log.Consistency(ctx, have, size); err != nil {
				return none, err
			}
		}
		lines, err := k.addCheckpoint(ctx, w.URL, have, proof, checkpoint)
		var other *conflict
		if errors.As(err, &other) {
			have = other.size
			learn(have)
			continue
		}
		if err != nil {
			return none, err
		}
		good, err := tlog.Cosignatures(tlog.AddLines(checkpoint, lines...), []*tlog.WitnessKey{w.Key})
		if err != nil || len(good) != 1 {
			return none, evidence.Wrap(evidence.Unavailable, errors.Join(err, errNoSignature), "Its answer is not its signature on the checkpoint.")
		}
		return good[0], nil
	}
	return none, evidence.Errorf(evidence.Unavailable, "It names another size each time it is asked.")
}

var errNoSignature = errors.New("no signature of the witness's key")
