/* The version is the same in the header's numbers, the header's text and the library. */
#include <stdio.h>

#include <test.h>
#include <thrum/version.h>

TEST(version, library_says_what_the_header_says)
{
    CHECK_STR(thrum_version(), THRUM_VERSION_STRING);
}

TEST(version, text_and_numbers_agree)
{
    char text[64];
    snprintf(text, sizeof text, "%d.%d.%d", THRUM_VERSION_MAJOR, THRUM_VERSION_MINOR, THRUM_VERSION_PATCH);
    CHECK_STR(THRUM_VERSION_STRING, text);
}

TEST(version, numbers_compare)
{
    CHECK_LT(THRUM_VERSION_NUMBER(0, 1, 999), THRUM_VERSION_NUMBER(0, 2, 0));
    CHECK_LT(THRUM_VERSION_NUMBER(0, 999, 0), THRUM_VERSION_NUMBER(1, 0, 0));
    CHECK_EQ(THRUM_VERSION, THRUM_VERSION_NUMBER(THRUM_VERSION_MAJOR, THRUM_VERSION_MINOR, THRUM_VERSION_PATCH));
}
