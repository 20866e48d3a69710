// Package page makes a page that checks proofs in a browser: one HTML file with the verifier, a
// verifying key and a model commitment inside. It works from a disk as from any server.
//
// The promise: the page makes no request. Its content security policy allows none, and allows no
// script but its own.
//
// Pitfall: a page proves as much as you trust whoever gave it to you.
package page

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"

	"github.com/zkinfer/zkinfer/verifier/wasm/npm"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
)

// Render is the page for the files verifying.key and model.zkc, which the caller has checked.
func Render(keyFile, commitmentFile []byte) ([]byte, error) {
	loader, err := npm.Files.ReadFile(npm.Loader)
	if err != nil {
		return nil, err
	}
	module, err := npm.Files.ReadFile(npm.Module)
	if err != nil {
		return nil, err
	}
	script := "\n" + inlined(string(loader)) + "\n" + pageJS
	// What would end the element early would be shown instead of run.
	if strings.Contains(strings.ToLower(script+pageCSS), "</s") {
		return nil, fmt.Errorf("the page's script or style ends its own element")
	}
	encode := base64.StdEncoding.EncodeToString
	return []byte(strings.NewReplacer(
		"{{script hash}}", hash(script), "{{style hash}}", hash(pageCSS),
		"{{style}}", pageCSS, "{{script}}", script,
		"{{module}}", encode(module), "{{key}}", encode(keyFile), "{{commitment}}", encode(commitmentFile),
	).Replace(pageHTML)), nil
}

// inlined is the loader for use in one script with its user: what it exports is simply there.
func inlined(loader string) string {
	return regexp.MustCompile(`(?m)^export `).ReplaceAllString(loader, "")
}

// hash is how a content security policy names an inline script or style.
func hash(content string) string {
	sum := sha256.Sum256([]byte(content))
	return base64.StdEncoding.EncodeToString(sum[:])
}
