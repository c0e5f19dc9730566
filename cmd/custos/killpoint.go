//go:build !torture

package main

// killPoint is nothing in a real binary; see killpoint_torture.go.
func killPoint() func(string) { return nil }
