package bench

import (
	"bufio"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// Machine says on what, and with what, a run was measured.
type Machine struct {
	CPU      string            `json:"cpu"`
	Cores    int               `json:"cores"` // that Go uses
	Memory   int64             `json:"memory_bytes"`
	OS       string            `json:"os"`
	Arch     string            `json:"arch"`
	Versions map[string]string `json:"versions"` // go, zkinfer, and the libraries that do the work
}

// measured are the modules whose version changes the figures.
var measured = []string{"github.com/consensys/gnark", "github.com/consensys/gnark-crypto"}

// ThisMachine describes the machine that the program runs on. What the system does not say is empty or
// 0.
func ThisMachine() Machine {
	m := Machine{CPU: field("/proc/cpuinfo", "model name"), Cores: runtime.GOMAXPROCS(0), OS: runtime.GOOS, Arch: runtime.GOARCH,
		Memory: kilobytes("/proc/meminfo", "MemTotal"), Versions: map[string]string{"go": runtime.Version()}}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return m
	}
	m.Versions["zkinfer"] = info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			m.Versions["zkinfer"] = s.Value
		}
	}
	for _, d := range info.Deps {
		for _, name := range measured {
			if d.Path == name {
				m.Versions[name[strings.LastIndex(name, "/")+1:]] = d.Version
			}
		}
	}
	return m
}

// same tells whether figures of both may stand beside each other.
func (m Machine) same(other Machine) bool {
	if m.CPU != other.CPU || m.Cores != other.Cores || m.OS != other.OS || m.Arch != other.Arch {
		return false
	}
	for k, v := range m.Versions {
		if other.Versions[k] != v {
			return false
		}
	}
	return len(m.Versions) == len(other.Versions)
}

// kilobytes is a size in bytes that a line "name : N kB" of a file states, 0 where there is none.
func kilobytes(path, name string) int64 {
	kB, err := strconv.ParseInt(strings.TrimSuffix(field(path, name), " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return kB << 10
}

// field is the value of the first line "name : value" of a file, "" where there is none.
func field(path, name string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
