package databasetest

import (
	"os/exec"
	"runtime"
)

func lockedStart(cmd *exec.Cmd, result chan<- error) {
	runtime.LockOSThread()
	err := cmd.Start()
	result <- err
	if err == nil {
		_ = cmd.Wait() // how a scratch server ends is of no interest
	}
}
