/* Fuzzes what reads the messages of the sample dns: whatever a server sends, texts keep to their room, the records have
 * an end, and a name that was read can be asked for.
 *
 * The first byte of the input says what the question was; the rest is the answer, but for its number, which is made to
 * fit. */
#include "../../samples/dns/message.h"
#include "../../samples/dns/names.h"
#include "check.h"

/* Text and message say the same name. */
static void both_ways(const char *text)
{
    unsigned char written[256];
    char again[DNS_NAME];
    size_t size = dns_write_name(written, text);
    MUST(size && size <= 255);
    MUST(dns_read_name(written, size, 0, again) == size);
    MUST(!strcmp(text, again));
}

static void read_reply(const unsigned char *bytes, size_t size, const unsigned char *query, size_t query_size)
{
    static struct dns_record record;
    struct dns_reply reply;
    char text[300], room[16];
    unsigned count = 0;
    if (!dns_read_reply(&reply, bytes, size, query, query_size))
        return;
    MUST(dns_code_text(reply.code, room));
    while (dns_next_record(&reply, &record) == 1) {
        MUST(++count <= 65535 && record.data <= size && record.size <= size - record.data);
        MUST(strlen(record.name) < DNS_NAME);
        both_ways(record.name);
        MUST(dns_type_of(dns_type_text(record.type, room)) == record.type || !record.type);
        for (size_t length = 1; length <= sizeof text; length += sizeof text - 1)
            if (dns_data_text(&reply, &record, text, length))
                MUST(memchr(text, '\0', length));
    }
}

/* What people type. */
static void ask_for(const unsigned char *bytes, size_t size)
{
    unsigned char query[DNS_QUERY];
    char name[DNS_NAME], typed[400];
    size = size < sizeof typed - 1 ? size : sizeof typed - 1;
    memcpy(typed, bytes, size);
    typed[size] = '\0';
    (void)dns_reverse_name(name, typed);
    (void)dns_type_of(typed);
    if (!dns_write_query(query, 1, typed, DNS_A))
        return;
    MUST(dns_read_name(query, sizeof query, 12, name));
    both_ways(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        const char *name;
        uint16_t type;
    } questions[] = {{"example.org", DNS_A}, {".", DNS_NS}, {"a.b", DNS_MX}, {"x\\.y.z", DNS_TXT}};
    if (size < 3)
        return 0;
    unsigned char query[DNS_QUERY];
    uint16_t number = (uint16_t)dns_get16(data + 1);
    unsigned which = data[0] % (sizeof questions / sizeof questions[0]);
    size_t query_size = dns_write_query(query, number, questions[which].name, questions[which].type);
    MUST(query_size);
    read_reply(data + 1, size - 1, query, query_size);
    ask_for(data, size);
    return 0;
}
