// SPDX-License-Identifier: MIT
// One message to the rig through port 0xE9 is a frame: 0x01, channel, content, 0x04.
// The core may write to that port from another CPU at any time, so a frame carries no length:
// whatever slips in, the next 0x01 starts a frame that reads well. stream.py is the reader.

#ifndef RIG_FRAME_H
#define RIG_FRAME_H

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { port = 0xe9, frame_start = 0x01, frame_end = 0x04, escape = 0x10, escape_flip = 0x40 };
enum { frame_content_max = 32768 };

static void out_bytes(const unsigned char *from, size_t count)
{
	unsigned short to = port;

	__asm__ volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(to) : "memory");
}

static void send_frame(char channel, const void *content, size_t bytes)
{
	static unsigned char frame[2 * frame_content_max + 3];
	const unsigned char *from = content;
	size_t used = 0;

	frame[used++] = frame_start;
	frame[used++] = (unsigned char)channel;
	for (size_t i = 0; i < bytes; i++) {
		unsigned char c = from[i];

		if (c == frame_start || c == frame_end || c == escape) {
			frame[used++] = escape;
			c ^= escape_flip;
		}
		frame[used++] = c;
	}
	frame[used++] = frame_end;
	out_bytes(frame, used);
}

static void send_text(char channel, const char *text)
{
	send_frame(channel, text, strlen(text));
}

static void send_status(char channel, int status)
{
	char text[16];

	snprintf(text, sizeof text, "%d", status);
	send_text(channel, text);
}

#endif
