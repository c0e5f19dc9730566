package e2e

import "testing"

func courtVerifies(t *testing.T, f *shift)     {}
func sealedBundle(t *testing.T, f *shift)      {}
func storedMasterOpens(t *testing.T, f *shift) {}
func inTheBrowser(t *testing.T, f *shift)      {}
