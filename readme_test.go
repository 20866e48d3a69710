package zkinfer

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the README shows works as it stands: its first command, and the commands of its example in
// their order, on the files that they name.
func TestReadmeCommands(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	binary := filepath.Join(dir, "zkinfer")
	if out, err := exec.Command("go", "build", "-o", binary, "./cmd/zkinfer").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, source := range map[string]string{
		"mnist.onnx": "mnist-8/model.onnx", "images.idx": "digits/images.idx.gz", "labels.idx": "digits/labels.idx", "digit.png": "digits/7.png",
		"ad01.tflite": "tflite/ad01/model.tflite", "window.raw": "tflite/ad01/input.raw",
	} {
		b, err := os.ReadFile(filepath.Join("testvectors", source))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	commands := readmeCommands(string(readme))
	if len(commands) < 7 {
		t.Fatalf("only %d commands in the README's code blocks: %q", len(commands), commands)
	}
	for _, c := range commands {
		cmd := exec.Command(binary, strings.Fields(c)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("zkinfer %s: %v\n%s", c, err, out)
		}
	}
}

// readmeCommands are the arguments of zkinfer in indented or fenced blocks; the command that runs the
// tests is left out.
func readmeCommands(readme string) []string {
	var out []string
	line := regexp.MustCompile(`(?m)^(?:go run \./cmd/zkinfer|zkinfer) ([^#\n]+)`)
	for i, block := range strings.Split(readme, "```") {
		if i%2 == 1 {
			for _, m := range line.FindAllStringSubmatch(block, -1) {
				out = append(out, strings.TrimSpace(m[1]))
			}
		}
	}
	return out
}
