// SPDX-License-Identifier: GPL-2.0-only
/*
 * json-get PATH... < JSON: for tests. Parses standard input strictly and prints what is at
 * each path: members separated by dots, elements of arrays by number, "#" for a length.
 * Exit status: 0; 1 not valid JSON; 2 no such path.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

static char *read_all(void)
{
	size_t bytes = 0, room = 1 << 16;
	char *text = malloc(room);

	while (text) {
		bytes += fread(text + bytes, 1, room - bytes - 1, stdin);
		if (bytes < room - 1)
			break;
		room *= 2;
		text = realloc(text, room);
	}
	if (text)
		text[bytes] = 0;
	return text;
}

static yajl_val member(yajl_val value, const char *name)
{
	size_t i;

	if (YAJL_IS_ARRAY(value)) {
		i = strtoul(name, NULL, 10);
		return i < value->u.array.len ? value->u.array.values[i] : NULL;
	}
	for (i = 0; YAJL_IS_OBJECT(value) && i < value->u.object.len; i++)
		if (!strcmp(value->u.object.keys[i], name))
			return value->u.object.values[i];
	return NULL;
}

static int print_value(yajl_val value, int length)
{
	size_t i;

	if (length) {
		printf("%zu\n", YAJL_IS_ARRAY(value) ? value->u.array.len :
		       YAJL_IS_OBJECT(value) ? value->u.object.len : 0);
	} else if (YAJL_IS_STRING(value)) {
		printf("%s\n", YAJL_GET_STRING(value));
	} else if (YAJL_IS_NUMBER(value)) {
		printf("%s\n", YAJL_GET_NUMBER(value));
	} else if (YAJL_IS_TRUE(value) || YAJL_IS_FALSE(value)) {
		printf("%s\n", YAJL_IS_TRUE(value) ? "true" : "false");
	} else if (YAJL_IS_NULL(value)) {
		printf("null\n");
	} else if (YAJL_IS_OBJECT(value)) {	/* its keys, in order */
		for (i = 0; i < value->u.object.len; i++)
			printf("%s%s", i ? " " : "", value->u.object.keys[i]);
		printf("\n");
	} else {
		printf("[%zu]\n", value->u.array.len);
	}
	return 0;
}

static int print_path(yajl_val value, char *path)
{
	char *name;
	int length = 0;

	for (name = strtok(path, "."); name && value; name = strtok(NULL, ".")) {
		if (!strcmp(name, "#"))
			length = 1;
		else
			value = member(value, name);
	}
	if (!value) {
		printf("(nothing)\n");
		return 2;
	}
	return print_value(value, length);
}

int main(int argc, char **argv)
{
	char error[1024];
	yajl_val tree;
	int i, status = 0;
	char *text;

	text = read_all();
	tree = text ? yajl_tree_parse(text, error, sizeof(error)) : NULL;
	if (!tree) {
		fprintf(stderr, "json-get: %s\n", text ? error : "out of memory");
		return 1;
	}
	for (i = 1; i < argc; i++)
		if (print_path(tree, argv[i]))
			status = 2;
	yajl_tree_free(tree);
	free(text);
	return status;
}
