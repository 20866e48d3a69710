package page

import (
	"regexp"
	"strings"
	"testing"
)

// The page is whole, names no other place, and its policy knows its own script and style.
func TestRender(t *testing.T) {
	b, err := Render([]byte("the key"), []byte("the commitment"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	if strings.Contains(page, "{{") {
		t.Error("something was not filled in")
	}
	for _, want := range []string{"dGhlIGtleQ==", "dGhlIGNvbW1pdG1lbnQ=", "default-src 'none'", "'wasm-unsafe-eval'"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
	if found := regexp.MustCompile(`https?://|(src|href)="[^d]|@import|url\(|(?m:^\s*(import|export) )`).FindString(page); found != "" {
		t.Errorf("the page has %q", found)
	}
	for tag, content := range map[string]string{
		"script": between(page, `<script type="module">`, "</script>"), "style": between(page, "<style>", "</style>"),
	} {
		if content == "" || !strings.Contains(page, tag+"-src 'sha256-"+hash(content)+"'") {
			t.Errorf("the policy does not allow the page's own %s", tag)
		}
	}
}

func between(s, from, to string) string {
	_, rest, _ := strings.Cut(s, from)
	content, _, _ := strings.Cut(rest, to)
	return content
}
