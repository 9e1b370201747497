package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

const (
	renewWithin  = 14 * 24 * time.Hour
	littleSpace  = 1 << 30
	hardlySpace  = 64 << 20
	othersMay    = fs.FileMode(0o077)
	makeReadable = "let the user of the process read it"
)

// Folder judges the data folder.
func Folder(f *Findings, path string) {
	at := path
	info, err := os.Stat(at)
	for errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at) { // it is made where it can be
		at = filepath.Dir(at)
		info, err = os.Stat(at)
	}
	switch {
	case err != nil:
		f.Break("correct data-dir", "%s: %v", path, err)
		return
	case !info.IsDir():
		f.Break("name a folder in data-dir", "%s is a file, and no folder", at)
		return
	case !mayWrite(at):
		f.Break("chown it to the user of the process, or name another folder", "this user may not write in %s", at)
		return
	}
	switch free := freeSpace(at); {
	case free < 0:
	case free < hardlySpace:
		f.Break("make room: the log needs about 300 bytes an event for as long as it is kept", "%s has %s left", at, mebibytes(free))
		return
	case free < littleSpace:
		f.Warn("make room: the log needs about 300 bytes an event for as long as it is kept", "%s has %s left", at, mebibytes(free))
		return
	}
	if at != path {
		f.Note("%s is made at the first start", path)
		return
	}
	f.OK("%s can be written", path)
}

// Certificate judges the files with which this process proves who it is, for the names under which clients come.
func Certificate(f *Findings, certFile, keyFile string, hosts []string, now time.Time) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		mend := makeReadable
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			mend = "take certificate and key of the same pair, in PEM, the certificate with those between it and the root"
		}
		f.Break(mend, "tls-cert-file %s, tls-key-file %s: %v", certFile, keyFile, err)
		return
	}
	leaf := pair.Leaf
	found := len(f.all)
	switch left := leaf.NotAfter.Sub(now); {
	case left < 0:
		f.Break("renew it; the files are read again every 5 s, and nothing needs a restart", "the certificate expired at %s", leaf.NotAfter.UTC().Format(time.RFC3339))
	case left < renewWithin:
		f.Warn("renew it; the files are read again every 5 s, and nothing needs a restart", "the certificate expires at %s, in %d days", leaf.NotAfter.UTC().Format(time.RFC3339), int(left.Hours()/24))
	case leaf.NotBefore.After(now):
		f.Break("wait, or correct the clock of this machine", "the certificate is not valid before %s", leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	for _, host := range hosts {
		if err := leaf.VerifyHostname(host); err != nil {
			f.Break("have a certificate made that also names "+host+", or correct hosts", "clients that come to %s refuse the certificate, which is for %v", host, names(leaf))
		}
	}
	if len(pair.Certificate) == 1 && leaf.Issuer.String() != leaf.Subject.String() {
		if _, err := leaf.Verify(x509.VerifyOptions{CurrentTime: now}); errors.As(err, new(x509.UnknownAuthorityError)) {
			f.Note("the certificate stands alone: clients must know its authority %q", leaf.Issuer.CommonName)
		}
	}
	f.private("tls-key-file", keyFile)
	if len(f.all) == found {
		f.OK("the certificate is for %v, until %s", names(leaf), leaf.NotAfter.UTC().Format(time.RFC3339))
	}
}

func names(c *x509.Certificate) []string {
	all := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	return all
}

// Secret judges a file with a secret that read could use, or says why not.
func Secret(f *Findings, setting, path string, mayBeMade bool, read func() error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && mayBeMade {
		f.Note("%s %s is made at the first start", setting, path)
		return
	}
	if err := read(); err != nil {
		f.Break("correct "+setting+", or "+makeReadable, "%s: %v", setting, err)
		return
	}
	if !f.private(setting, path) {
		f.OK("%s %s can be used", setting, path)
	}
}

// private reports whether others than the owner may read a file, and warns of it.
func (f *Findings) private(setting, path string) bool {
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS == "windows" || info.Mode().Perm()&othersMay&^0o040 == 0 { // a group may be the way in which a secret is mounted
		return false
	}
	f.Warn("chmod 600 "+path, "%s %s can be read by every user of this machine (%v)", setting, path, info.Mode().Perm())
	return true
}
