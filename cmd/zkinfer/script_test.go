package main

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"
)

// checkJSON is the script command "json PATH [VALUE]": standard output of the last command is exactly
// one JSON object, in which PATH (such as samples.0.argmax; . for the object itself, \. for a dot in a key) is there, and is VALUE.
func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: json PATH [VALUE]")
	}
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	var object map[string]any
	ts.Check(d.Decode(&object))
	if _, err := d.Token(); err != io.EOF {
		ts.Fatalf("standard output goes on after the JSON object")
	}
	got, found := at(object, args[0])
	if neg {
		if found && (len(args) == 1 || same(ts, got, args[1])) {
			ts.Fatalf("%s is %v", args[0], got)
		}
		return
	}
	if !found {
		ts.Fatalf("there is no %s in %v", args[0], object)
	}
	if len(args) == 2 && !same(ts, got, args[1]) {
		b, _ := json.Marshal(got)
		ts.Fatalf("%s is %s, expected %s", args[0], b, args[1])
	}
}

func at(v any, path string) (any, bool) {
	if path == "." {
		return v, true
	}
	for _, key := range strings.Split(strings.ReplaceAll(path, `\.`, "\x00"), ".") {
		key = strings.ReplaceAll(key, "\x00", ".")
		switch x := v.(type) {
		case map[string]any:
			field, ok := x[key]
			if !ok {
				return nil, false
			}
			v = field
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(x) {
				return nil, false
			}
			v = x[i]
		default:
			return nil, false
		}
	}
	return v, true
}

func same(ts *testscript.TestScript, got any, want string) bool {
	var w any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		w = want // a bare word is a string
	}
	return reflect.DeepEqual(got, w)
}

// checkExit is the script command "exit CODE ARGS…": zkinfer with these arguments, standard input
// empty, ends with this code. Its output is in the files stdout.txt and stderr.txt.
func checkExit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit CODE ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	script := `zkinfer "$@" >stdout.txt 2>stderr.txt; echo $? >code.txt`
	ts.Check(ts.Exec("sh", append([]string{"-c", script, "sh"}, args[1:]...)...))
	got, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile("code.txt")))
	ts.Check(err)
	if got != want {
		ts.Fatalf("exit code %d, expected %d\n%s", got, want, ts.ReadFile("stderr.txt"))
	}
}

// checkLeftover is the script command "leftover": no temporary file is left in the folder.
func checkLeftover(ts *testscript.TestScript, neg bool, args []string) {
	names, err := filepath.Glob(ts.MkAbs(".*.tmp"))
	ts.Check(err)
	if len(names) > 0 != neg {
		ts.Fatalf("temporary files: %v", names)
	}
}

// writeHex is the script command "hex FILE BYTES": a file of the bytes given in hexadecimal.
func writeHex(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: hex FILE BYTES")
	}
	b, err := hex.DecodeString(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// cutFile is the script command "cut NEW OLD N": the first N bytes of a file, all but the last −N if N is negative.
func cutFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: cut NEW OLD N")
	}
	b := ts.ReadFile(args[1])
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	if n < 0 {
		n += len(b)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b[:n]), 0o600))
}

// flipBit is the script command "flip NEW OLD I": a copy of a file with a bit of byte I changed.
func flipBit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: flip NEW OLD I")
	}
	b := []byte(ts.ReadFile(args[1]))
	i, err := strconv.Atoi(args[2])
	ts.Check(err)
	b[i] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// writeZeros is the script command "zeros FILE N": a file of N zero bytes.
func writeZeros(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: zeros FILE N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), make([]byte, n), 0o600))
}

// substitute is the script command "subst NEW OLD FROM TO": a copy of a file with a text replaced everywhere.
func substitute(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: subst NEW OLD FROM TO")
	}
	b := ts.ReadFile(args[1])
	if !strings.Contains(b, args[2]) {
		ts.Fatalf("%s does not contain %q", args[1], args[2])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(b, args[2], args[3])), 0o600))
}

// writeSRS is the script command "srs FILE N": a structured reference string of N powers, as gnark writes it.
func writeSRS(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: srs FILE N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	s, err := kzg.NewSRS(uint64(n), big.NewInt(987654321))
	ts.Check(err)
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = s.WriteRawTo(f)
	ts.Check(err)
	ts.Check(f.Close())
}
