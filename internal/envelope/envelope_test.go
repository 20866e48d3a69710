package envelope_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/internal/allocation"
	"github.com/zkinfer/zkinfer/internal/envelope"
)

const kind = "test"

func TestRoundTrip(t *testing.T) {
	for _, payload := range [][]byte{{}, {0}, bytes.Repeat([]byte("zkinfer"), 1000)} {
		b := envelope.Encode(kind, 7, payload)
		version, got, err := envelope.Decode(b, kind)
		if err != nil || version != 7 || !bytes.Equal(got, payload) {
			t.Errorf("Decode: version %d, %d bytes, %v; want 7, %d bytes", version, len(got), err, len(payload))
		}
		if got := envelope.Sniff(b); got != kind {
			t.Errorf("Sniff = %q, want %q", got, kind)
		}
	}
}

// TestGolden pins the framing: a change here makes every existing file unreadable.
func TestGolden(t *testing.T) {
	want := "7a6b696e66657201" + "74657374" + "0001" + "0000000000000002" +
		"7725324599ea4c56e02ff33d47da1948a39c9538097878e13b2e6254fd983b95" + "6869"
	if got := hex.EncodeToString(envelope.Encode(kind, 1, []byte("hi"))); got != want {
		t.Errorf("Encode = %s, want %s", got, want)
	}
}

func TestDecodeRejects(t *testing.T) {
	good := envelope.Encode(kind, 1, []byte("payload"))
	edit := func(at int, v byte) []byte {
		b := bytes.Clone(good)
		b[at] = v
		return b
	}
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"empty":         {nil, envelope.ErrMalformed},
		"text":          {[]byte("GIF89a and so on, long enough for a header"), envelope.ErrMalformed},
		"only magic":    {good[:12], envelope.ErrMalformed},
		"truncated":     {good[:len(good)-1], envelope.ErrMalformed},
		"appended":      {append(bytes.Clone(good), 0), envelope.ErrMalformed},
		"payload":       {edit(len(good)-1, 'x'), envelope.ErrMalformed},
		"version":       {edit(12, 9), envelope.ErrMalformed}, // the digest covers the header
		"framing":       {edit(7, 2), envelope.ErrUnsupportedVersion},
		"kind":          {edit(8, 'X'), envelope.ErrKind},
		"length":        {edit(14, 0xff), envelope.ErrMalformed},
		"digest":        {edit(30, good[30]^1), envelope.ErrMalformed},
		"letter of zki": {edit(0, 'Z'), envelope.ErrMalformed},
	} {
		if _, _, err := envelope.Decode(c.b, kind); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, c.b, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := envelope.ReadFile(path, kind, 100); !errors.Is(err, c.want) {
			t.Errorf("%s, from disk: %v, want %v", name, err, c.want)
		}
	}
}

func TestEveryByteMatters(t *testing.T) {
	good := envelope.Encode(kind, 1, []byte("payload"))
	for i := range good {
		b := bytes.Clone(good)
		b[i] ^= 0x10
		if _, _, err := envelope.Decode(b, kind); err == nil {
			t.Errorf("byte %d changed: accepted", i)
		}
		if _, _, err := envelope.Decode(good[:i], kind); err == nil {
			t.Errorf("cut to %d bytes: accepted", i)
		}
	}
}

func TestCheckVersion(t *testing.T) {
	if err := envelope.CheckVersion(kind, 2, 2); err != nil {
		t.Error(err)
	}
	if err := envelope.CheckVersion(kind, 3, 2); !errors.Is(err, envelope.ErrUnsupportedVersion) {
		t.Errorf("version 3 for 2: %v", err)
	}
}

func TestReadFileBounds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, envelope.Encode(kind, 1, make([]byte, 100)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, payload, err := envelope.ReadFile(path, kind, 100); err != nil || len(payload) != 100 {
		t.Errorf("at the bound: %d bytes, %v", len(payload), err)
	}
	if _, _, err := envelope.ReadFile(path, kind, 99); !errors.Is(err, envelope.ErrMalformed) {
		t.Errorf("beyond the bound: %v, want ErrMalformed", err)
	}
	if _, _, err := envelope.ReadFile(path+"x", kind, 99); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such file: %v", err)
	}
	// A header that promises 2^40 bytes costs what is there.
	b := envelope.Encode(kind, 1, nil)
	binary.BigEndian.PutUint64(b[14:], 1<<40)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	allocated := testing.AllocsPerRun(1, func() {
		if _, _, err := envelope.ReadFile(path, kind, 1<<41); !errors.Is(err, envelope.ErrMalformed) {
			t.Errorf("promised 2^40 bytes: %v, want ErrMalformed", err)
		}
	})
	if allocated > 100 {
		t.Errorf("%v allocations for an empty payload", allocated)
	}
}

func write(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

// expectFiles fails unless dir holds exactly the named files: no temporary one is left.
func expectFiles(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("the folder holds %v, want %v", got, names)
	}
}

func expectText(t *testing.T, path, want string) {
	t.Helper()
	if b, err := os.ReadFile(path); err != nil || string(b) != want {
		t.Errorf("%s holds %q, %v; want %q", filepath.Base(path), b, err, want)
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	if err := envelope.WriteFile(path, false, write("one")); err != nil {
		t.Fatal(err)
	}
	expectText(t, path, "one")
	if err := envelope.WriteFile(path, false, write("two")); !errors.Is(err, envelope.ErrExists) {
		t.Errorf("existing target: %v, want ErrExists", err)
	}
	expectText(t, path, "one")
	if err := envelope.WriteFile(path, true, write("three")); err != nil {
		t.Error(err)
	}
	expectText(t, path, "three")
	expectFiles(t, dir, "out")
}

func TestWriteFileLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	failure := errors.New("interrupted")
	err := envelope.WriteFile(path, false, func(w io.Writer) error {
		w.Write(make([]byte, 3<<20))
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("%v, want the callback's error", err)
	}
	expectFiles(t, dir)
	if err := envelope.WriteFile(filepath.Join(dir, "none", "out"), false, write("")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such folder: %v", err)
	}
	// Someone else makes the target meanwhile.
	err = envelope.WriteFile(path, false, func(w io.Writer) error { return os.WriteFile(path, []byte("theirs"), 0o644) })
	if !errors.Is(err, envelope.ErrExists) {
		t.Errorf("%v, want ErrExists", err)
	}
	expectText(t, path, "theirs")
	expectFiles(t, dir, "out")
}

func TestWriteFilePanic(t *testing.T) {
	dir := t.TempDir()
	defer expectFiles(t, dir)
	defer func() {
		if recover() == nil {
			t.Error("the callback's panic is lost")
		}
	}()
	envelope.WriteFile(filepath.Join(dir, "out"), false, func(io.Writer) error { panic("bug") })
}

func TestWriteFileReplacesOnlyRegularFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("elsewhere", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"folder", "link"} {
		if err := envelope.WriteFile(filepath.Join(dir, name), true, write("x")); !errors.Is(err, envelope.ErrExists) {
			t.Errorf("%s: %v, want ErrExists", name, err)
		}
	}
	expectFiles(t, dir, "folder", "link")
}

func TestWriteSecretFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	if err := envelope.WriteSecretFile(path, false, write("salt")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		t.Errorf("mode %v, want none for group and others", mode)
	}
}

type record struct {
	Name   string
	Values []int64
	Pair   [2]int64
}

func TestMarshalIsDeterministic(t *testing.T) {
	nothing, err := envelope.Marshal(record{})
	if err != nil {
		t.Fatal(err)
	}
	empty, err := envelope.Marshal(record{Values: []int64{}})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(nothing, empty) {
		t.Errorf("nil encodes as %x, empty as %x", nothing, empty)
	}
	var back record
	if err := envelope.Unmarshal(empty, &back); err != nil || len(back.Values) != 0 {
		t.Errorf("read back as %+v, %v", back, err)
	}
}

func TestUnmarshalRejects(t *testing.T) {
	nested := strings.Repeat("81", 40) + "00"
	for name, c := range map[string]string{
		"empty":               "",
		"truncated":           "a1644e616d6563",
		"trailing byte":       "a1644e616d65617800",
		"unknown key":         "a1634e6f6e617861",
		"key in other case":   "a1646e616d656178",
		"repeated key":        "a2644e616d656178644e616d656179",
		"indefinite map":      "bf644e616d656178ff",
		"indefinite array":    "a16656616c7565739f01ff",
		"indefinite text":     "a1644e616d657f6178ff",
		"tag":                 "a1644e616d65c06178",
		"invalid UTF-8":       "a1644e616d6561ff",
		"wrong type":          "a1644e616d6501",
		"beyond int64":        "a16656616c756573811bffffffffffffffff",
		"huge array":          "a16656616c7565739b00000000ffffffff",
		"array over limit":    "a16656616c7565739a00020001" + strings.Repeat("00", 1<<17+1),
		"huge text":           "a1644e616d657bffffffffffffffff",
		"nesting":             "a16656616c756573" + nested,
		"reserved additional": "a16656616c756573811c",
	} {
		b, err := hex.DecodeString(c)
		if err != nil {
			t.Fatal(name, err)
		}
		var r record
		if err := envelope.Unmarshal(b, &r); !errors.Is(err, envelope.ErrMalformed) {
			t.Errorf("%s: %v, read as %+v, want ErrMalformed", name, err, r.Name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	good := envelope.Encode(kind, 1, []byte("payload"))
	f.Add(good)
	f.Add(good[:20])
	f.Add([]byte("zkinfer"))
	f.Fuzz(func(t *testing.T, b []byte) {
		defer allocation.Bound(t)()
		version, payload, err := envelope.Decode(b, kind)
		if err != nil {
			return
		}
		if again := envelope.Encode(kind, version, payload); !bytes.Equal(again, b) {
			t.Errorf("accepted %x, which encodes as %x", b, again)
		}
	})
}

func FuzzUnmarshal(f *testing.F) {
	good, err := envelope.Marshal(record{Name: "x", Values: []int64{-1, 1 << 40}, Pair: [2]int64{3, 4}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		defer allocation.Bound(t)()
		var r record
		if envelope.Unmarshal(b, &r) != nil {
			return
		}
		// What was read survives a round trip.
		once, err := envelope.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back record
		if err := envelope.Unmarshal(once, &back); err != nil {
			t.Fatalf("%x: cannot be read back: %v", once, err)
		}
		twice, err := envelope.Marshal(back)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%x encodes again as %x, %v", once, twice, err)
		}
	})
}
