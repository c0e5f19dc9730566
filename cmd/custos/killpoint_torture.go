//go:build torture

package main

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// killPoint kills the process, as kill -9 does, just before the step of
// custody named by CUSTOS_KILL_AT ("collect.finish", or "collect.finish:3" for
// the third time it comes). Only binaries built with the tag torture have it.
func killPoint() func(string) {
	at, nth, found := strings.Cut(os.Getenv("CUSTOS_KILL_AT"), ":")
	if at == "" {
		return nil
	}
	n := int64(1)
	if found {
		v, err := strconv.ParseInt(nth, 10, 64)
		if err != nil {
			panic("CUSTOS_KILL_AT: " + err.Error())
		}
		n = v
	}
	var seen atomic.Int64
	return func(step string) {
		if step == at && seen.Add(1) == n {
			if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
				panic(err)
			}
			select {} // the signal is on its way
		}
	}
}
