package identity

import (
	"context"
	"crypto/rand"
	"testing"

	"custos/database"
	"custos/evidence"
)

// Somebody entered cannot sign in with anything until they are given a
// password; then they can.
func TestEnterAndDescribe(t *testing.T) {
	each(t, func(b *bench) {
		p := Person{ID: evidence.NewID(b.clock, rand.Reader), Login: "Rowan", Name: "Rowan Tree", Number: "12", Role: "officer"}
		b.must(b.write(func(ctx context.Context, tx *database.Tx) error { return b.Enter(ctx, tx, p) }))
		for _, password := range []string{"", good, "rowan"} {
			if _, ok := b.signIn("rowan", password); ok {
				t.Errorf("%q let somebody in who has no password", password)
			}
		}
		b.must(b.write(func(ctx context.Context, tx *database.Tx) error { return b.SetPassword(ctx, tx, p.ID, good) }))
		if _, ok := b.signIn("rowan", good); !ok {
			t.Error("the password that was set does not work")
		}
		b.wantCode(b.write(func(ctx context.Context, tx *database.Tx) error { return b.Enter(ctx, tx, p) }), evidence.Conflict)

		b.add("ash.grove", "4711", "officer")
		describe := func(name, number string) (before Person, err error) {
			err = b.write(func(ctx context.Context, tx *database.Tx) error {
				before, err = b.Describe(ctx, tx, p.ID, name, number)
				return err
			})
			return before, err
		}
		_, err := describe("Rowan", "4711")
		b.wantCode(err, evidence.Conflict)
		_, err = describe(" ", "12")
		b.wantCode(err, evidence.Invalid)
		before, err := describe(" Rowan Beech ", "")
		b.must(err)
		after, err := b.Person(t.Context(), p.ID)
		b.must(err)
		if before.Name != "Rowan Tree" || before.Number != "12" || after.Name != "Rowan Beech" || after.Number != "" || after.Login != "rowan" {
			t.Errorf("from %+v to %+v", before, after)
		}
	})
}
