package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"custos/dock"
	"custos/evidence"
)

// fresh is how old a status may be before the agent counts as not running.
const fresh = 30 * time.Second

type statusCmd struct {
	Config  string `name:"config" short:"c" help:"Configuration file (TOML)." placeholder:"FILE"`
	Journal string `help:"Folder for the journal. Default: as in the configuration." placeholder:"DIR"`
	JSON    bool   `name:"json" help:"Print the status as one JSON object."`
}

// Run is `custos-dock status`.
func (s *statusCmd) Run(c *console) error {
	cfg, err := loadConfig(s.Config, Config{Journal: s.Journal}, c.env)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(cfg.Journal, "status.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return evidence.Errorf(evidence.NotFound, "custos-dock has not run yet with the journal in %s", cfg.Journal)
	}
	if err != nil {
		return fmt.Errorf("read status: %w", err)
	}
	var st evidence.DockStatus
	if err := json.Unmarshal(text, &st); err != nil {
		return evidence.Wrap(evidence.Corrupt, err, "the status file cannot be read")
	}
	running := time.Since(st.At).Abs() < fresh
	if s.JSON {
		err = json.NewEncoder(c.stdout).Encode(struct {
			evidence.DockStatus
			Running bool `json:"running"`
			Well    bool `json:"well"`
		}{st, running, running && dock.Well(st)})
		if err != nil {
			return fmt.Errorf("print status: %w", err)
		}
	} else {
		printStatus(c, st, running)
	}
	if !running || !dock.Well(st) {
		return errNotWell
	}
	return nil
}

func printStatus(c *console, st evidence.DockStatus, running bool) {
	if running {
		fmt.Fprintf(c.stdout, "%s, running\n", st.Name)
	} else {
		fmt.Fprintf(c.stdout, "%s, NOT RUNNING since %s; what follows was true then\n", st.Name, evidence.FormatTime(st.At))
	}
	if st.Message != "" {
		fmt.Fprintln(c.stdout, st.Message)
	}
	if len(st.Cameras) == 0 {
		fmt.Fprintln(c.stdout, "no camera is docked")
	}
	for _, cam := range st.Cameras {
		fmt.Fprintln(c.stdout, describe(cam))
		for _, f := range cam.Current {
			if f.Message != "" {
				fmt.Fprintf(c.stdout, "  %s: %s\n", f.Name, f.Message)
			}
		}
	}
}

// writeStatus replaces the status file in one step. It need not survive a
// power cut: after one, the agent is not running.
func writeStatus(dir string, st evidence.DockStatus) error {
	text, err := json.Marshal(st)
	if err != nil {
		return err
	}
	name := filepath.Join(dir, "status.json")
	if err := os.WriteFile(name+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}
