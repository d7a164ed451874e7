using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;

namespace NicHost.Probe.Netvsc;

/// <content>RNDIS control: requests travel in the send buffer, answers in the receive buffer.</content>
public sealed partial class NetvscDriver
{
    private const uint Query = 4;
    private const uint Set = 5;

    private readonly Dictionary<uint, byte[]> _answers = [];

    /// <summary>Status indications that came, in order.</summary>
    public List<uint> Indications { get; } = [];

    /// <summary>RNDIS initialize.</summary>
    public void Initialize()
    {
        var answer = Control(2, VmbusClient.Words(1, 0, 0x4000));
        if (Word(answer, 3) != 0) throw new VmbusException($"RNDIS does not start: 0x{Word(answer, 3):x}.");
        LinkIsUp = true;
    }

    /// <summary>Asks for an OID; null when the host does not know it.</summary>
    public byte[]? Ask(uint oid, ReadOnlySpan<byte> input = default)
    {
        Span<byte> body = stackalloc byte[16 + input.Length];
        VmbusClient.Words(oid, (uint)input.Length, 20, 0).CopyTo(body);
        input.CopyTo(body[16..]);
        var answer = Control(Query, body);
        if (Word(answer, 3) != 0) return null;
        var (length, offset) = ((int)Word(answer, 4), (int)Word(answer, 5));
        return answer.AsSpan(8 + offset, length).ToArray();
    }

    /// <summary>Sets an OID.</summary>
    /// <returns>RNDIS's status.</returns>
    public uint Tune(uint oid, ReadOnlySpan<byte> value)
    {
        var body = new byte[16 + value.Length];
        VmbusClient.Words(oid, (uint)value.Length, 20, 0).CopyTo(body, 0);
        value.CopyTo(body.AsSpan(16));
        return Word(Control(Set, body), 3);
    }

    /// <summary>Which frames are wanted.</summary>
    public void SetFilter(uint filter) => Tune(0x0001_010E, VmbusClient.Words(filter));

    /// <summary>Address, link and the largest frame.</summary>
    public void AskForAddresses()
    {
        Mac = new MacAddress(Ask(0x0101_0101) ?? throw new VmbusException("The card has no address."));
        Mtu = _options.Mtu ?? (Ask(0x0001_0106) is { Length: 4 } mtu ? (int)Word(mtu, 0) : 1500);
        LinkIsUp = Ask(0x0001_0114) is { Length: 4 } link && Word(link, 0) == 0;
    }

    /// <summary>Takes of what is offered what is wanted.</summary>
    public void SetOffloads(OffloadSet wanted)
    {
        var capabilities = Ask(0xFC01_020D) ?? throw new VmbusException("The card tells no offloads.");
        var checksum = wanted.HasFlag(OffloadSet.Checksum) && Word(capabilities, 2) != 0;
        var largeSend4 = checksum && wanted.HasFlag(OffloadSet.TsoV4) && Word(capabilities, 21) != 0;
        var largeSend6 = checksum && wanted.HasFlag(OffloadSet.TsoV6) && Word(capabilities, 24) != 0;
        var merge = checksum && wanted.HasFlag(OffloadSet.TsoV4 | OffloadSet.TsoV6) && capabilities.Length > 145 && capabilities[144] != 0 && capabilities[145] != 0;
        var setting = new byte[Version >= 0x50000 ? 28 : 22];
        setting[0] = 0x80;
        setting[1] = (byte)(setting.Length == 28 ? 3 : 1);
        setting[2] = (byte)setting.Length;
        setting.AsSpan(4, 5).Fill((byte)(checksum ? 4 : 1));
        setting[11] = (byte)(largeSend4 ? 2 : 1);
        setting[12] = (byte)(largeSend6 ? 2 : 1);
        if (setting.Length == 28) setting[22] = setting[23] = (byte)(merge ? 2 : 1);
        var status = Tune(0xFC01_020C, setting);
        if (status != 0) throw new VmbusException($"The card refuses the offload setting: 0x{status:x}.");
        TxOffloads = (checksum ? OffloadSet.Checksum : 0) | (largeSend4 ? OffloadSet.TsoV4 : 0) | (largeSend6 ? OffloadSet.TsoV6 : 0);
        RxOffloads = (checksum ? OffloadSet.Checksum : 0) | (merge ? OffloadSet.TsoV4 | OffloadSet.TsoV6 : 0);
    }

    /// <summary>Sends a control message and waits for its answer.</summary>
    /// <param name="type">RNDIS's type.</param>
    /// <param name="body">What follows the request's number.</param>
    /// <param name="answerType">The answer's type; 0 for none, null for the usual one.</param>
    /// <exception cref="VmbusException">None comes.</exception>
    public byte[] Control(uint type, ReadOnlySpan<byte> body, uint? answerType = null)
    {
        var request = _nextRequest++;
        var message = new byte[12 + body.Length];
        VmbusClient.Words(type, (uint)message.Length, request).CopyTo(message, 0);
        body.CopyTo(message.AsSpan(12));
        Post(message);
        if (answerType == 0) return [];
        return Await(() => _answers.Remove(request, out var answer) ? answer : null) ?? throw new VmbusException($"The host does not answer RNDIS message {type}.");
    }

    /// <summary>Sends any bytes as an RNDIS control message.</summary>
    public unsafe void Post(ReadOnlySpan<byte> message)
    {
        if (FreeSections.Count == 0) Primary.Poll(null, int.MaxValue);
        if (!FreeSections.TryPop(out var section)) throw new VmbusException("The send buffer is full.");
        // Sections start wherever 6144 puts them; a short message is copied byte by byte where a page ends.
        for (var i = 0; i < message.Length; i++) *Send!.At((section * SendSectionSize) + i) = message[i];
        if (!Primary.TrySendPacket(section, message.Length, control: true, [])) throw new VmbusException("The ring to the host is full.");
        Primary.Flush();
    }

    internal void TakeControl(byte[] message)
    {
        if (message.Length < 12) return;
        switch (Word(message, 0))
        {
            case 7:
                var status = Word(message, 2);
                Indications.Add(status);
                if (status is 0x4001_000B or 0x4001_000C) LinkIsUp = status == 0x4001_000B;
                break;
            // A reset's answer carries no number.
            case 0x8000_0006: _answers[0] = message; break;
            default: _answers[Word(message, 2)] = message; break;
        }
    }

    /// <summary>Takes the answer of a request that was posted.</summary>
    public byte[]? TakeAnswer(uint request) => _answers.Remove(request, out var answer) ? answer : null;
}
