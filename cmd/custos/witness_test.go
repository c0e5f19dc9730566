package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"custos/timestamp/timestamptest"
)

func TestAuthoritiesAreCalledByTheirHosts(t *testing.T) {
	roots := timestamptest.New(t, timestamptest.ECDSA).RootsFile
	all, err := authorities([]string{"https://TSA.example:8080/tsr", "http://tsa.example/other", "http://[2001:db8::1]/"}, roots)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"tsa.example", "tsa.example-2", "2001-db8--1"} {
		if all[i].Name != want {
			t.Errorf("%q, want %q", all[i].Name, want)
		}
	}
}

func TestConfigurationsOfOutsidersThatCannotBe(t *testing.T) {
	roots := timestamptest.New(t, timestamptest.ECDSA).RootsFile
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for says, c := range map[string]struct{ url, roots string }{
		"begins with https": {"tsa.example", roots}, "timestamp_roots": {"https://tsa.example", empty}, "no such file": {"https://tsa.example", empty + "x"},
	} {
		if _, err := authorities([]string{c.url}, c.roots); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	dir := t.TempDir()
	for says, c := range map[string]Config{
		"timestamp_roots": {TimestampURLs: []string{"https://tsa.example"}},
		"timestamp_every": {TimestampEvery: "1s"},
	} {
		c.Origin = "x.custos/log"
		if _, err := c.filled(dir); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
