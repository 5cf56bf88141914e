// SPDX-License-Identifier: GPL-2.0-only
/*
 * A recording that is read and written again is the same, byte for byte. Takes the recording
 * and the name of the copy.
 */
#include <stdlib.h>

#include "tap.h"
#include "recording.h"
#include "source.h"

static char *slurp(const char *path)
{
	FILE *stream = fopen(path, "r");
	char *text = NULL;
	size_t room = 0;

	if (!stream || getdelim(&text, &room, 0, stream) < 0)
		abort();
	fclose(stream);
	return text;
}

int main(int argc, char **argv)
{
	struct recording recording;
	struct sample sample = { .time_ms = 0 };
	struct source *source;
	int samples = 0, r;
	char *original, *copy;

	if (argc != 3)
		return 2;
	report_init("t_recording");
	is(source_replay(argv[1], &source), STATUS_DONE, "the recording is opened");
	if (!is(recording_open(&recording, argv[2]), 0, "the copy is opened"))
		return done();
	while ((r = source_next(source, &sample)) > 0) {
		samples++;
		is(recording_put(&recording, &sample), 0, "sample %d is written", samples);
		sample_clear(&sample);
	}
	is(r, 0, "the recording is read to its end");
	ok(samples > 1, "there are samples");
	is(recording_close(&recording), 0, "the copy is closed");
	source_free(source);
	original = slurp(argv[1]);
	copy = slurp(argv[2]);
	is_str(copy, original, "the copy is the same");
	free(original);
	free(copy);
	return done();
}
