package staff_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/staff"
)

func (o *office) preview(file string) staff.Preview {
	o.Helper()
	p, err := o.Preview(o.Context(), []byte(file))
	o.must(err)
	return p
}

// told is a line in words.
func told(l staff.Line) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s %s", l.Number, l.Login, l.Verdict)
	for _, c := range l.Changes {
		fmt.Fprintf(&b, " %s:%s>%s", c.Column, c.Before, c.After)
	}
	for _, r := range l.Remarks {
		fmt.Fprintf(&b, " !%s", r.Column)
	}
	return b.String()
}

func (o *office) wantLines(p staff.Preview, want ...string) {
	o.Helper()
	var got []string
	for _, l := range p.Lines {
		got = append(got, told(l))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		o.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPreviewJudgesEveryLine(t *testing.T) {
	each(t, func(o *office) {
		a, closed := o.unit("A"), o.unit("OLD")
		o.unit("B")
		o.must(o.CloseUnit(o.Context(), o.admin, closed))
		o.hire(staff.Hire{Login: "ash", Name: "Ash", Number: "1", Unit: a})
		o.hire(staff.Hire{Login: "elm", Name: "Elm", Number: "2"})
		o.hire(staff.Hire{Login: "fir", Name: "Fir", Number: "3"})
		o.hire(staff.Hire{Login: "gone", Name: "Gone"})
		gone := o.person("gone").ID
		o.must(o.DB.Write(o.Context(), func(tx *database.Tx) error { return o.Identity.Disable(o.Context(), tx, gone) }))
		before := len(o.said())
		o.Clock.Move(time.Hour)

		p := o.preview("\xef\xbb\xbfLogin, name ,number,role,unit,lead,from\r\n" +
			"ASH,,,,,,\r\n" +
			"elm,Elm Tree,,supervisor,b,yes,\r\n" +
			"oak,\"Oak, T.\",4,officer,A,,2026-01-05\r\n" +
			"ash,Ash,,,,,\r\n" +
			"yew,Yew,5,administrator,,,\r\n" +
			"bay,Bay,1,officer,,,\r\n" +
			"box,,,,,,\r\n" +
			"a b,X,,officer,,,\r\n" +
			"pine,Pine,4,officer,OLD,perhaps,tomorrow\r\n" +
			"gone,Gone,,,,,\r\n" +
			"fig,Fig,,chief,,,2999-01-01\r\n")
		o.wantLines(p,
			"2 ash unchanged",
			"3 elm changed name:Elm>Elm Tree unit:>B (lead) !role",
			"4 oak new name:>Oak, T. number:>4 role:>officer unit:>A",
			"5 ash refused !login",
			"6 yew refused !role",
			"7 bay refused !number",
			"8 box refused !name !role",
			"9 a b refused !login",
			"10 pine refused !from !lead !unit",
			"11 gone refused !login",
			"12 fig refused !from !role",
		)
		if len(p.Absent) != 1 || p.Absent[0].Login != "fir" || p.Counts[staff.Refused] != 8 || p.Counts[staff.IsNew] != 1 {
			o.Errorf("absent %v, counts %v", p.Absent, p.Counts)
		}
		if list, err := o.Identity.List(o.Context()); err != nil || len(list) != 4 || len(o.said()) != before {
			o.Errorf("the preview did something: %v, %v", list, err)
		}
	})
}

// What was previewed is what is done, in one transaction, with one event for
// each person; done again it changes nothing; where the register has changed
// since the preview nothing is done.
func TestImport(t *testing.T) {
	each(t, func(o *office) {
		ctx := o.Context()
		a := o.unit("A")
		o.unit("B")
		o.hire(staff.Hire{Login: "ash", Name: "Ash", Number: "1", Unit: a, From: o.Clock.Now().Add(-90 * 24 * time.Hour)})
		o.hire(staff.Hire{Login: "elm", Name: "Elm", Number: "2"})
		o.Clock.Move(time.Hour)
		// Ash and Elm exchange their numbers.
		file := []byte("login,name,number,role,unit,lead,from\nash,Ash,2,,B,yes,2026-02-01\nelm,,1,,,,2026-02-01\noak,Oak,4,officer,A,no,\nbad,,,,,,\n")
		p, err := o.Preview(ctx, file)
		o.must(err)
		o.wantLines(p, "2 ash changed number:1>2 unit:A>B (lead)", "3 elm changed number:2>1", "4 oak new name:>Oak number:>4 role:>officer unit:>A", "5 bad refused !name !role")

		_, err = o.Import(ctx, o.admin, file, evidence.Digest{1})
		o.wantCode(err, evidence.Conflict)
		_, err = o.Import(ctx, o.admin, append(file, '\n'), p.Digest)
		o.wantCode(err, evidence.Conflict)
		_, err = o.Import(ctx, evidence.Actor{Kind: evidence.Person, ID: "x", Role: "supervisor"}, file, p.Digest)
		o.wantCode(err, evidence.Denied)
		before := len(o.said())
		done, err := o.Import(ctx, o.admin, file, p.Digest)
		o.must(err)
		if done.Digest != p.Digest {
			o.Error("what was done has another digest")
		}
		said := o.said()[before:]
		for i, want := range []string{"what=people imported; preview_sha256=" + p.Digest.String(), "login=ash; name=Ash; number=1; number_before=1; number_after=2; unit_before=A Unit A; unit_after=B Unit B (lead); holds_from=2026-01-31T23:00:00",
			"number_before=2; number_after=1", "what=account made"} {
			if len(said) != 4 || !strings.Contains(said[i], want) {
				o.Errorf("event %d does not say %q: %v", i, want, said)
			}
		}
		midnight := time.Date(2026, 1, 31, 23, 0, 0, 0, time.UTC) // on the force's clock
		ash := o.past(o.person("ash").ID)
		if len(ash.Numbers) != 2 || ash.Numbers[0].Thing != "2" || !ash.Numbers[0].From.Equal(midnight) || len(ash.Postings) != 2 || !ash.Postings[1].Until.Equal(midnight) || o.person("ash").Number != "2" {
			o.Errorf("ash's past is %+v", ash)
		}
		again := o.preview(string(file))
		if again.Counts[staff.Unchanged] != 3 || again.Digest == p.Digest {
			o.Errorf("a second time it would do %v", again.Lines)
		}
		_, err = o.Import(ctx, o.admin, file, p.Digest)
		o.wantCode(err, evidence.Conflict)
	})
}

// However a file and a register look: what the preview says can be done is
// done, to everybody it says and nobody else, and a second import of the same
// file finds nothing to do.
func TestImportDoesWhatThePreviewSays(t *testing.T) {
	o := newOffice(t, databasetest.SQLite(t))
	units := []string{"U1", "U2", "U3"}
	for _, u := range units {
		o.unit(u)
	}
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		o.Clock.Move(24 * time.Hour)
		word := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(t, name) }
		for range rapid.IntRange(1, 3).Draw(t, "files") {
			var b strings.Builder
			w := csv.NewWriter(&b)
			_ = w.Write([]string{"login", "name", "number", "role", "unit", "lead", "from"})
			day := func(n int) string { return o.Clock.Now().AddDate(0, 0, -n).Format(time.DateOnly) }
			for range rapid.IntRange(1, 6).Draw(t, "lines") {
				_ = w.Write([]string{
					fmt.Sprintf("p%d-%s", round, word("who", "1", "2", "3", "4")), word("name", "", "Ash", "Elm"),
					fmt.Sprintf("%d-%s", round, word("number", "1", "2", "3")), word("role", "", "officer", "supervisor", "auditor"),
					word("unit", "", "U1", "u2", "U3", "U4"), word("lead", "", "yes", "no", "x"), word("from", "", "", day(0), day(3), day(1), "soon"),
				})
			}
			w.Flush()
			file := b.String()
			p, err := o.Preview(o.Context(), []byte(file))
			if err != nil {
				t.Fatal(err)
			}
			before := len(o.said())
			if _, err := o.Import(o.Context(), o.admin, []byte(file), p.Digest); err != nil {
				t.Fatalf("%v\n%s\n%+v", err, file, p.Lines)
			}
			if n := len(o.said()) - before; n != 1+p.Counts[staff.IsNew]+p.Counts[staff.Changed] {
				t.Fatalf("%d events for %v", n, p.Counts)
			}
			again, err := o.Preview(o.Context(), []byte(file))
			if err != nil {
				t.Fatal(err)
			}
			for i, l := range again.Lines {
				was := p.Lines[i].Verdict
				if (was == staff.IsNew || was == staff.Changed) && l.Verdict != staff.Unchanged {
					t.Fatalf("line %d, %s before, is now %+v\n%s", l.Number, was, l, file)
				}
			}
			o.agrees(t)
		}
	})
}

// agrees checks that an account's number is the one that the organisation says
// the person has now, and that nothing overlaps.
func (o *office) agrees(t *rapid.T) {
	list, err := o.Identity.List(o.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		past, err := o.Organisation.Past(o.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		now := ""
		for _, h := range past.Numbers {
			if h.Until.IsZero() {
				now += h.Thing
			}
		}
		if now != p.Number {
			t.Fatalf("%s has the number %q and holds %q: %+v", p.Login, p.Number, now, past.Numbers)
		}
		open := 0
		for _, x := range past.Postings {
			if x.Until.IsZero() {
				open++
			}
		}
		if open > 1 {
			t.Fatalf("%s has two postings: %+v", p.Login, past.Postings)
		}
	}
}

func TestFilesThatAreNone(t *testing.T) {
	o := newOffice(t, databasetest.SQLite(t))
	for _, file := range []string{"", "name\nx\n", "login,shoe\na,b\n", "login,login\na,b\n", "login,name\na\n", "login\n\"a\n", "login\n\xff\n", strings.Repeat("x", staff.MaxFile+1)} {
		_, err := o.Preview(o.Context(), []byte(file))
		o.wantCode(err, evidence.Invalid)
	}
	if p := o.preview("login\n"); len(p.Lines) != 0 {
		t.Errorf("lines are %v", p.Lines)
	}
}

// No file makes a preview fail in any other way than by saying that it is no
// staff file, and every file that can be previewed can be imported.
func FuzzImport(f *testing.F) {
	for _, s := range []string{"login,name,role\nash,Ash,officer\n", "login,number\nash,1\nelm,1\n", "\xef\xbb\xbflogin;name\n", "login,from,unit,lead\na1,2026-02-30,A,yes\n", "login\n\"x\"\"y\"\n"} {
		f.Add(s)
	}
	db := databasetest.SQLite(f)
	var o *office
	f.Fuzz(func(t *testing.T, file string) {
		if o == nil {
			o = newOffice(t, db)
			o.unit("A")
		}
		p, err := o.Preview(t.Context(), []byte(file))
		if err != nil {
			if evidence.CodeOf(err) != evidence.Invalid {
				t.Fatal(err)
			}
			return
		}
		for _, l := range p.Lines {
			if l.Verdict == staff.Refused && len(l.Remarks) == 0 {
				t.Errorf("refused without a reason: %+v", l)
			}
		}
	})
}
