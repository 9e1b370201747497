package proxyprotocol

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

const (
	shortest = 15      // "PROXY UNKNOWN\r\n"; one of version 2 has 16 bytes at least
	longest1 = 107     // of version 1
	longest2 = 4 << 10 // of version 2, behind its first 16 bytes: addresses, and what balancers add to them
	magic1   = "PROXY "
	magic2   = "\r\n\r\n\x00\r\nQUIT\n"
)

var errNoHeader = errors.New("the connection does not begin with a header of the PROXY protocol")

// readHeader reads a header of version 1 or 2 and not one byte more, so that what follows can be read from the connection's file by
// whoever has it later. The address is invalid where the header names none: the proxy speaks for itself.
func readHeader(r io.Reader) (netip.AddrPort, error) {
	b := make([]byte, shortest, longest1)
	if _, err := io.ReadFull(r, b); err != nil {
		return netip.AddrPort{}, fmt.Errorf("%w: %w", errNoHeader, err)
	}
	switch {
	case bytes.HasPrefix(b, []byte(magic1)):
		return readVersion1(r, b)
	case bytes.HasPrefix(b, []byte(magic2)):
		return readVersion2(r, b)
	}
	return netip.AddrPort{}, errNoHeader
}

// readVersion1 reads a line: some forty reads of a byte, a small part of what a handshake costs.
func readVersion1(r io.Reader, b []byte) (netip.AddrPort, error) {
	for !bytes.HasSuffix(b, []byte("\r\n")) {
		if len(b) == longest1 {
			return netip.AddrPort{}, errors.New("the header of the PROXY protocol has no end")
		}
		b = b[:len(b)+1]
		if _, err := io.ReadFull(r, b[len(b)-1:]); err != nil {
			return netip.AddrPort{}, err
		}
	}
	fields := strings.Split(string(b[:len(b)-2]), " ")
	if fields[1] == "UNKNOWN" {
		return netip.AddrPort{}, nil
	}
	if len(fields) != 6 || fields[1] != "TCP4" && fields[1] != "TCP6" {
		return netip.AddrPort{}, fmt.Errorf("the header %q of the PROXY protocol cannot be read", b)
	}
	address, err := netip.ParseAddr(fields[2])
	port, portErr := strconv.ParseUint(fields[4], 10, 16)
	if err = errors.Join(err, portErr); err != nil || address.Zone() != "" {
		return netip.AddrPort{}, fmt.Errorf("the header %q of the PROXY protocol cannot be read", b)
	}
	return netip.AddrPortFrom(address.Unmap(), uint16(port)), nil
}

func readVersion2(r io.Reader, b []byte) (netip.AddrPort, error) {
	b = b[:16]
	if _, err := io.ReadFull(r, b[15:]); err != nil {
		return netip.AddrPort{}, err
	}
	command, family, length := b[12], b[13], int(binary.BigEndian.Uint16(b[14:]))
	if command>>4 != 2 || command&15 > 1 || length > longest2 {
		return netip.AddrPort{}, fmt.Errorf("the header of the PROXY protocol has command %#x and %d bytes", command, length)
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return netip.AddrPort{}, err
	}
	size := map[byte]int{0x11: 4, 0x21: 16}[family] // TCP over IPv4 and IPv6
	if command&15 == 0 || size == 0 {
		return netip.AddrPort{}, nil
	}
	if length < 2*size+4 { // two addresses, two ports
		return netip.AddrPort{}, errors.New("the header of the PROXY protocol is too short for its addresses")
	}
	address, _ := netip.AddrFromSlice(body[:size])
	return netip.AddrPortFrom(address.Unmap(), binary.BigEndian.Uint16(body[2*size:])), nil
}
