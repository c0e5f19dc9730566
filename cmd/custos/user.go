package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"

	"custos/database"
	"custos/evidence"
	"custos/identity"
	"custos/staff"
)

type userCmd struct {
	Add      userAddCmd      `cmd:"" help:"Make an account."`
	List     userListCmd     `cmd:"" help:"List accounts."`
	Password userPasswordCmd `cmd:"" help:"Set somebody's password and end their sessions."`
	Disable  userDisableCmd  `cmd:"" help:"Close an account at once."`
}

type userAddCmd struct {
	Login    string `help:"The name to sign in with." required:""`
	Name     string `help:"The name to show. Left out: the sign-in name."`
	Number   string `help:"Collar number, for officers."`
	Role     string `help:"Role: ${enum}." required:"" enum:"officer,supervisor,control_room,investigator,disclosure_officer,records_manager,professional_standards,auditor,data_protection_officer,administrator"`
	Password string `help:"Read the password from this file, or - for standard input. Left out: one is made and shown once." placeholder:"FILE"`
}

// Run makes the account.
func (u *userAddCmd) Run(ctx context.Context, c *cli, s streams) error {
	password, made, err := newPassword(u.Password, s)
	if err != nil {
		return err
	}
	orElse(&u.Name, u.Login)
	return opened(ctx, c, s, func(a *app) error {
		if err := addUser(ctx, a, operator(), identity.Person{Login: u.Login, Name: u.Name, Number: u.Number, Role: u.Role}, password); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s may sign in as %s (%s).\n", u.Name, u.Login, a.access.RoleName(u.Role))
		if made {
			fmt.Fprintf(s.out, "Password, shown this once: %s\n", password)
		}
		return nil
	})
}

func addUser(ctx context.Context, a *app, by evidence.Actor, p identity.Person, password string) error {
	_, err := a.staff.Add(ctx, by, staff.Hire{Login: p.Login, Name: p.Name, Number: p.Number, Role: p.Role, Password: password})
	return err
}

// newPassword reads a password from file, or makes one of 100 random bits. An
// empty one is refused: it would be an account without.
func newPassword(file string, s streams) (password string, made bool, err error) {
	defer func() {
		if err == nil && password == "" {
			err = errors.New("the password is empty; nothing was changed")
		}
	}()
	switch file {
	case "":
		return strings.ToLower(rand.Text()[:20]), true, nil
	case "-":
		line, err := bufio.NewReader(s.in).ReadString('\n')
		if err != nil && line == "" {
			return "", false, fmt.Errorf("read password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), false, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", false, fmt.Errorf("read password: %w", err)
	}
	return strings.TrimRight(string(b), "\r\n"), false, nil
}

type userListCmd struct {
	JSON bool `help:"One JSON array."`
}

// Run lists the accounts.
func (u *userListCmd) Run(ctx context.Context, c *cli, s streams) error {
	return opened(ctx, c, s, func(a *app) error {
		people, err := a.identity.List(ctx)
		if err != nil {
			return err
		}
		if u.JSON {
			return printJSON(s, people)
		}
		for _, p := range people {
			state := ""
			if p.Disabled {
				state = "  disabled"
			}
			fmt.Fprintf(s.out, "%-20s %-24s %-10s %s%s\n", p.Login, p.Name, p.Number, a.access.RoleName(p.Role), state)
		}
		return nil
	})
}

// person finds an account by its sign-in name.
func person(ctx context.Context, a *app, login string) (identity.Person, error) {
	people, err := a.identity.List(ctx)
	if err != nil {
		return identity.Person{}, err
	}
	for _, p := range people {
		if strings.EqualFold(p.Login, login) {
			return p, nil
		}
	}
	return identity.Person{}, fmt.Errorf("there is no account %q", login)
}

type userPasswordCmd struct {
	Login    string `arg:"" help:"The name they sign in with."`
	Password string `help:"Read the password from this file, or - for standard input. Left out: one is made and shown once." placeholder:"FILE"`
}

// Run sets the password.
func (u *userPasswordCmd) Run(ctx context.Context, c *cli, s streams) error {
	password, made, err := newPassword(u.Password, s)
	if err != nil {
		return err
	}
	return opened(ctx, c, s, func(a *app) error {
		p, err := person(ctx, a, u.Login)
		if err != nil {
			return err
		}
		if err := a.custody.Administer(ctx, operator(), []evidence.Field{evidence.F("what", "password set"), evidence.F("account", string(p.ID)), evidence.F("login", p.Login)},
			func(tx *database.Tx) error { return a.identity.SetPassword(ctx, tx, p.ID, password) }); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s has a new password; their sessions have ended.\n", p.Login)
		if made {
			fmt.Fprintf(s.out, "Password, shown this once: %s\n", password)
		}
		return nil
	})
}

type userDisableCmd struct {
	Login string `arg:"" help:"The name they sign in with."`
}

// Run closes the account.
func (u *userDisableCmd) Run(ctx context.Context, c *cli, s streams) error {
	return opened(ctx, c, s, func(a *app) error {
		p, err := person(ctx, a, u.Login)
		if err != nil {
			return err
		}
		if err := a.custody.Administer(ctx, operator(), []evidence.Field{evidence.F("what", "account disabled"), evidence.F("account", string(p.ID)), evidence.F("login", p.Login)},
			func(tx *database.Tx) error { return a.identity.Disable(ctx, tx, p.ID) }); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s cannot sign in any more; their sessions have ended.\n", p.Login)
		return nil
	})
}
