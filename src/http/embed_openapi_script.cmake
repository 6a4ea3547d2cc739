file(READ ${FILE} hex HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
file(WRITE ${OUTPUT} "/* Generated from src/http/openapi.json. */\n#include \"http/openapi.h\"\n\nconst char OPENAPI_TEXT[] = { ${bytes}0 };\n")
