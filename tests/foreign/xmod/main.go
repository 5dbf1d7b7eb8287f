// Checks the cases of a suite with golang.org/x/mod/sumdb: notes, trees from tiles, inclusion and consistency.
//
//	xmod FOLDER        the folder that tests/foreign/cases.py filled
package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type suite struct {
	Vkey    string
	Witness string
	Cases   []testCase
}

// A case is one thing to be accepted or refused; which fields it has depends on its kind.
type testCase struct {
	Name   string
	Kind   string
	Accept bool
	Note   string   // a checkpoint
	Older  string   // consistency: the checkpoint seen before
	Folder string   // tree: tiles and entries
	Index  int64    // inclusion
	Leaf   []byte   // inclusion
	Proof  [][]byte // inclusion, consistency
	File   string   // proof: the text of a .tlog-proof
}

func main() {
	folder := os.Args[1]
	text, err := os.ReadFile(filepath.Join(folder, "suite.json"))
	fatal(err)
	var s suite
	fatal(json.Unmarshal(text, &s))
	failed := 0
	for _, c := range s.Cases {
		err := s.check(folder, c)
		if (err == nil) != c.Accept {
			failed++
			fmt.Printf("FAILED %s: should be accepted: %v, but: %v\n", c.Name, c.Accept, err)
		}
	}
	fmt.Printf("x/mod: %d passed, %d failed\n", len(s.Cases)-failed, failed)
	if failed > 0 || len(s.Cases) == 0 {
		os.Exit(1)
	}
}

func (s suite) check(folder string, c testCase) error {
	switch c.Kind {
	case "note":
		_, err := s.open(c.Note)
		return err
	case "cosigned":
		return s.cosigned(c.Note)
	case "tree":
		tree, err := s.open(c.Note)
		if err != nil {
			return err
		}
		return audit(tree, filepath.Join(folder, c.Folder))
	case "inclusion":
		tree, err := s.open(c.Note)
		if err != nil {
			return err
		}
		return tlog.CheckRecord(hashes(c.Proof), tree.N, tree.Hash, c.Index, tlog.RecordHash(c.Leaf))
	case "proof":
		return s.proof(c.File, c.Leaf)
	case "consistency":
		older, err := s.open(c.Older)
		if err != nil {
			return err
		}
		newer, err := s.open(c.Note)
		if err != nil {
			return err
		}
		return tlog.CheckTree(hashes(c.Proof), newer.N, newer.Hash, older.N, older.Hash)
	}
	return fmt.Errorf("no kind %q", c.Kind)
}

// open verifies the log's signature and reads the checkpoint; tlog.ParseTree knows the Go checksum database's alone.
func (s suite) open(text string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(s.Vkey)
	fatal(err)
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	return parse(opened.Text, verifier.Name())
}

func parse(text, origin string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] != origin {
		return tlog.Tree{}, errors.New("not this log's checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// audit re-hashes the whole log: every tile from the root down, every entry against its tile.
func audit(tree tlog.Tree, folder string) error {
	reader := tlog.TileHashReader(tree, tiles(folder))
	for start := int64(0); start < tree.N; start += 256 {
		end := start + 256
		if end > tree.N {
			end = tree.N
		}
		indexes := make([]int64, 0, 256)
		for n := start; n < end; n++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, n))
		}
		proven, err := reader.ReadHashes(indexes)
		if err != nil {
			return err
		}
		entries, err := bundle(folder, start/256, int(end-start))
		if err != nil {
			return err
		}
		for i, entry := range entries {
			if tlog.RecordHash(entry) != proven[i] {
				return fmt.Errorf("entry %d is not the one in the tree", start+int64(i))
			}
		}
	}
	return nil
}

func bundle(folder string, n int64, width int) ([][]byte, error) {
	data, err := os.ReadFile(filepath.Join(folder, path("entries", n, width)))
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(data) >= 2 {
		length := int(binary.BigEndian.Uint16(data))
		if len(data) < 2+length {
			return nil, errors.New("an entry is cut off")
		}
		entries, data = append(entries, data[2:2+length]), data[2+length:]
	}
	if len(data) != 0 || len(entries) != width {
		return nil, fmt.Errorf("%d entries in a bundle of %d", len(entries), width)
	}
	return entries, nil
}

// tiles serves the tiles of tlog-tiles, which name no height: it is always 8.
type tiles string

func (folder tiles) Height() int                  { return 8 }
func (tiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (folder tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	read := make([][]byte, len(wanted))
	for i, tile := range wanted {
		data, err := os.ReadFile(filepath.Join(string(folder), path(strconv.Itoa(tile.L), tile.N, tile.W)))
		if err != nil {
			return nil, err
		}
		read[i] = data
	}
	return read, nil
}

func path(level string, n int64, width int) string {
	name := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		name = fmt.Sprintf("x%03d/%s", n%1000, name)
	}
	if width < 256 {
		name += fmt.Sprintf(".p/%d", width)
	}
	return "tile/" + level + "/" + name
}

// proof checks a .tlog-proof file (c2sp.org/tlog-proof@v1) of a leaf.
func (s suite) proof(text string, leaf []byte) error {
	head, checkpoint, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a proof")
	}
	lines = lines[1:]
	if strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return err
	}
	var path tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		path = append(path, hash)
	}
	tree, err := s.open(checkpoint)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(leaf))
}

// cosigned verifies a witness's line with the note package and a verifier for its signature type, which x/mod leaves to others.
func (s suite) cosigned(text string) error {
	name, rest, _ := strings.Cut(s.Witness, "+")
	id, key, _ := strings.Cut(rest, "+")
	hash, err := strconv.ParseUint(id, 16, 32)
	fatal(err)
	material, err := base64.StdEncoding.DecodeString(key)
	fatal(err)
	_, err = note.Open([]byte(text), note.VerifierList(cosigner{name, uint32(hash), material[1:]}))
	return err
}

type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }
func (c cosigner) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	time := binary.BigEndian.Uint64(signature)
	message := append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", time)), text...)
	return ed25519.Verify(c.key, message, signature[8:])
}

func hashes(raw [][]byte) []tlog.Hash {
	made := make([]tlog.Hash, len(raw))
	for i, hash := range raw {
		copy(made[i][:], hash)
	}
	return made
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
