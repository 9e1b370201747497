// The physical limit: a WebSocket server that does nothing but send. It shakes hands, subscribes to a Redis channel and
// sends each message, framed, to all of its clients in a plain loop of blocking sends, one after the other, on one thread.
// No pings, no filters, no cursors, no slow clients. Several processes of it use several cores.
//
//	cc -O2 -o send send.c
//	send PORT REDIS-PORT CHANNEL [gather]
//
// With "gather" all messages that Redis gave in one read go to a client in one send: the limit for bursts.
#define _GNU_SOURCE // strcasestr
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 20000 };
static int clients[MOST], count; // the clients' sockets, and
static int place[MOST];          // where each socket is among them, plus one; 0: no handshake yet

static void die(const char *what) { perror(what); exit(1); }

static uint32_t rotate(uint32_t x, int n) { return x << n | x >> (32 - n); }

// sha1 of less than 120 bytes, which is what a handshake needs.
static void sha1(const char *text, size_t n, uint8_t out[20]) {
	uint8_t block[128] = {0};
	uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}, w[80];
	size_t blocks = (n + 9 + 63) / 64;
	memcpy(block, text, n);
	block[n] = 0x80;
	block[blocks * 64 - 2] = n * 8 >> 8;
	block[blocks * 64 - 1] = n * 8;
	for (size_t b = 0; b < blocks; b++) {
		for (int i = 0; i < 80; i++) {
			const uint8_t *p = block + b * 64 + i * 4;
			w[i] = i < 16 ? (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3] : rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
		}
		uint32_t a = h[0], c = h[1], d = h[2], e = h[3], f = h[4];
		for (int i = 0; i < 80; i++) {
			uint32_t mix = i < 20 ? (c & d) | (~c & e) : i < 40 || i >= 60 ? c ^ d ^ e : (c & d) | (c & e) | (d & e);
			static const uint32_t k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
			uint32_t next = rotate(a, 5) + mix + f + k[i / 20] + w[i];
			f = e, e = d, d = rotate(c, 30), c = a, a = next;
		}
		h[0] += a, h[1] += c, h[2] += d, h[3] += e, h[4] += f;
	}
	for (int i = 0; i < 20; i++) out[i] = h[i / 4] >> (24 - i % 4 * 8);
}

static void base64(const uint8_t *in, int n, char *out) {
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (int i = 0; i < n; i += 3) {
		uint32_t v = in[i] << 16 | (i + 1 < n ? in[i + 1] << 8 : 0) | (i + 2 < n ? in[i + 2] : 0);
		for (int j = 0; j < 4; j++) *out++ = i + j > n ? '=' : letters[v >> (18 - 6 * j) & 63];
	}
	*out = 0;
}

static void leave(int fd) {
	if (place[fd]) {
		clients[place[fd] - 1] = clients[--count];
		place[clients[place[fd] - 1]] = place[fd];
		place[fd] = 0;
	}
	close(fd);
}

// listen_to takes what a client says: its handshake, which comes in one piece, and then nothing that matters.
static void listen_to(int fd) {
	static const char name[] = "\nsec-websocket-key:";
	char said[4096], joined[100], key[30], answer[200];
	uint8_t hash[20];
	ssize_t n = recv(fd, said, sizeof said - 1, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN)) { leave(fd); return; }
	if (n < 0 || place[fd]) return;
	said[n] = 0;
	char *at = strcasestr(said, name);
	if (!at || sscanf(at + sizeof name - 1, " %29[^\r\n ]", key) != 1) { leave(fd); return; }
	int length = snprintf(joined, sizeof joined, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
	sha1(joined, length, hash);
	base64(hash, 20, joined);
	length = snprintf(answer, sizeof answer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", joined);
	if (send(fd, answer, length, MSG_NOSIGNAL) != length) { leave(fd); return; }
	clients[count++] = fd;
	place[fd] = count;
}

static void send_to_all(const char *frames, size_t n) {
	for (int i = 0; i < count; i++)
		for (size_t sent = 0; sent < n;) {
			ssize_t some = send(clients[i], frames + sent, n - sent, MSG_NOSIGNAL);
			if (some < 0) break; // it has gone, which epoll tells soon
			sent += some;
		}
}

// take reads what Redis says: arrays of three texts, of which the last is the message.
static void take(int redis, int gather) {
	static char text[1 << 20], frames[2 << 20];
	static size_t have;
	size_t framed = 0;
	ssize_t n = recv(redis, text + have, sizeof text - have, 0);
	if (n <= 0) die("Redis");
	have += n;
	char *at = text, *end = text + have;
	for (;;) {
		char *p = at, *part = p;
		size_t length = 0;
		int whole = 1, message = 0;
		if (!(p = memchr(p, '\n', end - p))) break;
		p++;
		for (int i = 0; i < 3 && whole; i++) {
			char *line = p;
			if (p >= end || !(p = memchr(p, '\n', end - p))) { whole = 0; break; }
			p++;
			if (*line != '$') continue; // the number in the answer to "subscribe"
			length = strtoul(line + 1, 0, 10);
			if ((size_t)(end - p) < length + 2) { whole = 0; break; }
			part = p;
			if (i == 0) message = length == 7 && !memcmp(part, "message", 7);
			p += length + 2;
		}
		if (!whole) break;
		at = p;
		if (!message) continue;
		char *frame = frames + framed;
		size_t head = length < 126 ? 2 : 4; // what comes here is shorter than 64 KiB
		frame[0] = (char)0x81;
		frame[1] = length < 126 ? length : 126;
		if (head == 4) frame[2] = length >> 8, frame[3] = length;
		memcpy(frame + head, part, length);
		framed += head + length;
		if (!gather) send_to_all(frames, framed), framed = 0;
	}
	if (framed) send_to_all(frames, framed);
	have = end - at;
	memmove(text, at, have);
}

int main(int argc, char **argv) {
	if (argc < 4) { fprintf(stderr, "usage: send PORT REDIS-PORT CHANNEL [gather]\n"); return 2; }
	int on = 1, all = epoll_create1(0), door = socket(AF_INET, SOCK_STREAM, 0), redis = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(door, (void *)&address, sizeof address) || listen(door, 4096)) die("listening");
	address.sin_port = htons(atoi(argv[2]));
	if (connect(redis, (void *)&address, sizeof address)) die("connecting to Redis");
	dprintf(redis, "*2\r\n$9\r\nSUBSCRIBE\r\n$%zu\r\n%s\r\n", strlen(argv[3]), argv[3]);
	struct epoll_event event = {.events = EPOLLIN, .data.fd = door}, events[512];
	epoll_ctl(all, EPOLL_CTL_ADD, door, &event);
	event.data.fd = redis;
	epoll_ctl(all, EPOLL_CTL_ADD, redis, &event);
	printf("listening\n");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(all, events, 512, -1);
		if (n < 0 && errno != EINTR) die("epoll");
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			if (fd == redis) take(redis, argc > 4);
			else if (fd != door) listen_to(fd);
			else if ((fd = accept(door, 0, 0)) >= MOST) close(fd);
			else if (fd >= 0) {
				setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
				event.data.fd = fd;
				epoll_ctl(all, EPOLL_CTL_ADD, fd, &event);
			}
		}
	}
}
