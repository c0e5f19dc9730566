package bundle

import (
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"custos/evidence"
	"custos/timestamp"
	"custos/tlog"
)

// outside is whom the person checking believes, beside the log's key.
type outside struct {
	policy *tlog.Policy   // nil = none was given
	roots  *x509.CertPool // nil = none were given
}

func (o *outside) read(opt Options) (err error) {
	if opt.Policy != nil {
		if o.policy, err = tlog.ParsePolicy(opt.Policy); err != nil {
			return err
		}
	}
	if opt.TimeRoots != nil {
		o.roots, err = timestamp.ParseRoots(opt.TimeRoots)
	}
	return err
}

// inPolicy tells whether the policy names the log whose key this is. A key that
// was given by itself counts before it.
func (v *verifier) inPolicy(line string) bool {
	return v.custody.pinned == nil && v.outside.policy != nil && slices.Contains(v.outside.policy.Logs, strings.TrimSpace(line))
}

// asked adds a check that was asked for and could not be proven.
func (v *verifier) asked(name, format string, args ...any) {
	v.add(name, "", NotProven, format, args...)
	v.report.Checks[len(v.report.Checks)-1].Asked = true
}

// checkWitnesses judges who has signed the checkpoint beside the log.
func (v *verifier) checkWitnesses() {
	policy, text := v.outside.policy, v.custody.checkpointText
	var others []string
	for _, name := range tlog.Signers(text) {
		if v.custody.key == nil || name != v.custody.key.Name() {
			others = append(others, name)
		}
	}
	switch {
	case policy == nil && len(others) == 0:
		v.add("witness", "", NotProven, "No witness outside the force has co-signed the log: it proves nothing against the force itself.%s", v.missing())
		return
	case policy == nil:
		v.add("witness", "", NotProven, "Beside the log these have signed the checkpoint: %s. That was not judged: whether they are who they should be, only a witness policy can say that you got from somebody else than the force.", some(others))
		return
	case len(policy.Logs) > 0 && !slices.Contains(policy.Logs, strings.TrimSpace(v.report.LogKey)):
		v.add("witness", "", Failed, "The witness policy that you gave is for other logs than this one.")
		return
	}
	good, err := tlog.Cosignatures(text, policy.Keys())
	if err != nil && text != nil {
		v.add("witness", checkpointFile, Failed, "%s", evidence.MessageOf(err))
		return
	}
	var names []string
	for _, w := range policy.Witnesses {
		i := slices.IndexFunc(good, func(c tlog.Cosignature) bool { return c.Key == w.Key })
		if i < 0 {
			names = append(names, w.Name)
			continue
		}
		v.add("witness", w.Name, Proven, "The witness %s signed the checkpoint at %s, by its own clock.", w.Key.Name(), moment(good[i].Time))
	}
	of := len(policy.Witnesses)
	switch {
	case policy.Quorum == "none":
		v.add("witness", "", NotProven, "The witness policy that you gave asks for no witness. %d of its %d have signed the checkpoint.", len(good), of)
	case !policy.Met(good):
		v.asked("witness", "%d of the %d witnesses in your policy have signed the checkpoint; that is not enough by its quorum. Missing: %s. As long as it is so, the log proves nothing against the force itself.%s", len(good), of, some(names), v.missing())
	default:
		v.add("witness", "", Proven, "%d of the %d witnesses in your policy have signed the checkpoint, which is enough by its quorum. A witness signs only a log that goes on from what it signed before: up to here, the force cannot have written it anew.", len(good), of)
	}
}

// missing is what the bundle says of outsiders that gave nothing.
func (v *verifier) missing() string {
	if len(v.metadata.Missing) == 0 {
		return ""
	}
	return " The force says: " + some(v.metadata.Missing)
}

func moment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05 UTC") }

// checkTimestamps judges what timestamp authorities have signed.
func (v *verifier) checkTimestamps() {
	files, trusted, failed := 0, 0, false
	for _, name := range v.tags.paths() {
		if !strings.HasPrefix(name, stampFolder) {
			continue
		}
		files++
		switch v.checkTimestamp(name) {
		case Proven:
			trusted++
		case Failed:
			failed = true
		}
	}
	switch {
	case failed || trusted > 0: // said of each
	case files == 0 && v.outside.roots != nil:
		v.asked("timestamp", "No outside timestamp is in the bundle: the times of events are the force's word.%s", v.missing())
	case files == 0:
		v.add("timestamp", "", NotProven, "No outside timestamp is in the bundle: the times of events are the force's word.%s", v.missing())
	case v.outside.roots != nil:
		v.asked("timestamp", "None of the timestamps is by an authority that you trust.")
	}
}

func (v *verifier) checkTimestamp(name string) State {
	b, ok := v.read("timestamp", name, timestamp.MaxResponse)
	if !ok {
		return Failed
	}
	t, err := timestamp.Parse(b)
	if err == nil && t.Digest != sha256.Sum256(v.custody.checkpointText) {
		err = evidence.Errorf(evidence.Corrupt, "The timestamp is of something else than the bundle's checkpoint.")
	}
	if err != nil {
		v.add("timestamp", name, Failed, "%s", evidence.MessageOf(err))
		return Failed
	}
	off := ""
	if t.Accuracy > 0 {
		off = ", give or take " + t.Accuracy.String()
	}
	state, says := NotProven, "Whether that is an authority to trust was not judged: give the certificate that its own leads to."
	switch {
	case v.outside.roots == nil:
	case t.Trusted(v.outside.roots) != nil:
		says = "Its certificate does not lead to those that you gave, or was not valid then."
	default:
		state, says = Proven, "So everything in the log up to here is older than that."
	}
	v.add("timestamp", name, state, "%s says that the checkpoint existed at %s%s. %s", t.Authority, moment(t.Time), off, says)
	return state
}
