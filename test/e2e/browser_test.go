package e2e

import "testing"

func inTheBrowser(t *testing.T, f *shift) {}
