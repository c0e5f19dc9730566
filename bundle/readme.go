package bundle

import (
	"fmt"
	"strings"
)

// readme is README.txt: for somebody who was handed a disc and knows nothing.
func readme(m metadata, signers []string, stamps []Timestamp) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("EVIDENCE BUNDLE %s", m.Bundle)
	line("")
	b.WriteString(bagInfoLine("From", m.Force))
	b.WriteString(bagInfoLine("For", m.Recipient))
	b.WriteString(bagInfoLine("Made", m.MadeAt.Format("2 January 2006, 15:04 UTC")))
	line("Recordings: %d, files: %d", len(m.Recordings), len(m.Files))
	line("")
	b.WriteString(readmeHow)
	for _, f := range m.Files {
		if f.Sealed {
			b.WriteString(readmeSealed)
			break
		}
	}
	b.WriteString(readmeProof)
	readmeOutside(line, m, signers, stamps)
	b.WriteString(readmeFormat)
	return b.String()
}

const readmeHow = `TO WATCH

Open view.html in a browser (Chrome, Edge, Firefox or Safari). It needs no
network and sends nothing anywhere. The recordings themselves are the files in
the folder data, exactly as they came off the camera; any player can open them.

TO CHECK

1. With tools that everybody has. In this folder:

       sha256sum -c manifest-sha256.txt
       sha256sum -c tagmanifest-sha256.txt

   (macOS: shasum -a 256 -c …). Every line must end in OK. This shows that the
   files are as they were when the bundle was made.

2. With custos-verify, a small program with no network code, whose source is
   open:

       custos-verify --log-key KEY .

   It also checks who did what with each recording since it left the camera,
   and that the force's log holds exactly this. KEY is the key of the force's
   log. Do not take it from this bundle: ask the force for it, or read the
   fingerprint that custos-verify prints to them over the telephone.

`

const readmeSealed = `FILES ENDING IN .age

They are sealed for the receiver. With the key that they were sealed for:

       age -d -i KEYFILE -o FILE FILE.age

`

const readmeProof = `WHAT THIS PROVES, AND WHAT IT DOES NOT

If everything is found in order, these are the bytes that were taken from the
camera, this is the complete record of what the system did with them up to the
making of this bundle, and the force's signed log agrees.

It does not prove what happened before the camera was docked. Without witnesses
it does not prove anything against the force itself: who holds the log's key
could have written another log. Times of events are the force's; a timestamp
shows that they are not later than it.

Titles, officers and categories in metadata.json come from the force's
catalogue. What the proofs cover is in custody/events.json.

`

// readmeOutside says what outsiders have signed.
func readmeOutside(line func(string, ...any), m metadata, signers []string, stamps []Timestamp) {
	line("WITNESSES AND TIME")
	line("")
	if len(signers) < 2 {
		line("No witness outside the force has signed the log's checkpoint.")
	} else {
		line("Beside the log itself, these have signed custody/checkpoint: %s.", oneLine(strings.Join(signers[1:], ", ")))
		line("Whether they are who they should be, and enough, you decide: give custos-verify")
		line("a witness policy that you did not take from the force (--policy FILE).")
	}
	line("")
	for _, t := range stamps {
		line("%s says when custody/checkpoint existed. To check that with OpenSSL:", oneLine(t.Authority))
		line("")
		line("    openssl ts -verify -data custody/checkpoint \\")
		line("        -in %s -CAfile ROOTS.pem", stampPath(t.Authority))
		line("")
	}
	if len(stamps) == 0 {
		line("There is no timestamp of an outside authority.")
		line("")
	}
	for _, text := range m.Missing {
		line("%s", oneLine(text))
	}
	if len(m.Missing) > 0 {
		line("")
	}
}

const readmeFormat = `FORMAT

A BagIt bag (RFC 8493). SHA-256 as in FIPS 180-4. Log, checkpoint and proofs
as in RFC 6962 and the C2SP documents tlog-checkpoint, tlog-proof and
signed-note. The format is public and described in full in docs/formats of the
program's source.
`
