package test

import (
	"encoding/hex"
	"regexp"
	"strings"
	"testing"
)

// textBlobs are the blobs in Candid's text form.
func textBlobs(t *testing.T, text string) (out [][]byte) {
	t.Helper()
	for _, m := range regexp.MustCompile(`blob "((?:\\[0-9a-f]{2})*)"`).FindAllStringSubmatch(text, -1) {
		b, err := hex.DecodeString(strings.ReplaceAll(m[1], `\`, ""))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}
