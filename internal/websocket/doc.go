// Package websocket is the server side of RFC 6455: the handshake, a push parser
// for what clients send, and the encoding of what they get. It owns no goroutine
// and no buffer of a connection, so that one goroutine a connection and one event
// loop for very many can use it alike.
package websocket
