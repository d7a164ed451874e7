using System.Buffers.Binary;
using System.Security.Cryptography;
using NicHost.Contracts.Loops;
using NicHost.Linux;
using NicHost.Wire;

namespace NicHost.Consomme.Dns;

/// <summary>Who asked, and takes the answer.</summary>
internal interface IDnsAsker
{
    /// <summary>Whether the question came by TCP, and has to be asked so.</summary>
    bool IsTcp { get; }

    /// <summary>Takes an answer with the asker's own id; lent for the call.</summary>
    void Answer(ReadOnlySpan<byte> message);
}

/// <summary>
/// One question on its way. Each attempt has a socket of its own, connected to the server: a random port that only the server's answers
/// get through, and a random id (RFC 5452).
/// </summary>
internal sealed class DnsQuery : IFdHandler
{
    private const int FirstTimeout = 1500;
    private const int SecondTimeout = 3000;
    private const int Rounds = 2;
    private const int LengthPrefix = 2;

    private readonly DnsForwarder _forwarder;
    private readonly byte[] _message; // over TCP with the length before it
    private readonly ushort _askersId;
    private readonly DnsServer[] _servers;
    private int _attempt = -1;
    private int _fd = -1;
    private IFdWatch? _watch;
    private byte[]? _received;
    private int _receivedLength;
    private bool _sent;

    public DnsQuery(DnsForwarder forwarder, ReadOnlySpan<byte> message, IDnsAsker asker, DnsServer[] servers)
    {
        _forwarder = forwarder;
        Asker = asker;
        _servers = servers;
        _askersId = BinaryPrimitives.ReadUInt16BigEndian(message);
        var prefix = asker.IsTcp ? LengthPrefix : 0;
        _message = new byte[prefix + message.Length];
        message.CopyTo(_message.AsSpan(prefix));
        if (asker.IsTcp) BinaryPrimitives.WriteUInt16BigEndian(_message, (ushort)message.Length);
    }

    public IDnsAsker Asker { get; }

    public long Deadline { get; private set; }

    /// <summary>The question as the asker sent it.</summary>
    public ReadOnlySpan<byte> Message
    {
        get
        {
            var message = _message.AsSpan(Asker.IsTcp ? LengthPrefix : 0);
            BinaryPrimitives.WriteUInt16BigEndian(message, _askersId);
            return message;
        }
    }

    private DnsServer Server => _servers[_attempt % _servers.Length];

    /// <summary>Asks the next server that can be asked.</summary>
    /// <returns>False when all have been, twice.</returns>
    public bool TryNext(IEventLoop loop)
    {
        while (++_attempt < _servers.Length * Rounds)
        {
            Close();
            Deadline = loop.NowMilliseconds + (_attempt < _servers.Length ? FirstTimeout : SecondTimeout);
            Server.Asked++;
            if (TrySend(loop)) return true;
            Server.Failed++;
        }
        return false;
    }

    public void OnEvents(FdEvents events)
    {
        if (_fd < 0) return;
        if (!_sent && (events & (FdEvents.Writable | FdEvents.Error | FdEvents.HangUp)) != 0 && !SendNow()) return;
        if (_sent && (events & ~FdEvents.Writable) != 0) Receive();
    }

    public void TimedOut() => _forwarder.Dead(Server);

    public void Close()
    {
        _watch?.Dispose();
        _watch = null;
        Io.Close(_fd);
        _fd = -1;
        _received = null;
        _receivedLength = 0;
        _sent = false;
    }

    private bool TrySend(IEventLoop loop)
    {
        var address = Server.Address;
        var made = Asker.IsTcp ? Sockets.CreateTcp(address.Family) : Sockets.CreateUdp(address.Family);
        if (made.Failed) return false;
        _fd = made.Fd;
        var connected = Sockets.Connect(_fd, address);
        if (connected.Failed && connected.Error != Errno.EINPROGRESS) return false;
        var id = (ushort)RandomNumberGenerator.GetInt32(0x10000);
        BinaryPrimitives.WriteUInt16BigEndian(_message.AsSpan(Asker.IsTcp ? LengthPrefix : 0), id);
        if (!Asker.IsTcp)
        {
            if (Sockets.Send(_fd, _message, MsgFlags.DontWait).Failed) return false;
            _sent = true;
        }
        _watch = loop.Watch(_fd, Asker.IsTcp ? FdEvents.Writable : FdEvents.Readable, this);
        return true;
    }

    /// <summary>TCP: connected, or not. A question fits into any send buffer.</summary>
    private bool SendNow()
    {
        if (Sockets.TakeError(_fd) != Errno.None || Sockets.Send(_fd, _message, MsgFlags.DontWait).Count != _message.Length)
        {
            Failed();
            return false;
        }
        _sent = true;
        _watch!.Events = FdEvents.Readable;
        return true;
    }

    private void Receive()
    {
        if (Asker.IsTcp)
        {
            ReceiveStream();
            return;
        }
        var buffer = _forwarder.Buffer;
        while (_fd >= 0)
        {
            var result = Sockets.Receive(_fd, buffer, MsgFlags.DontWait);
            if (result.WouldBlock) return;
            if (result.Failed)
            {
                Failed(); // refused or unreachable: no need to wait
                return;
            }
            if (IsAnswer(buffer.AsSpan(0, result.Count)))
            {
                Answered(buffer.AsSpan(0, result.Count));
                return;
            }
        }
    }

    private void ReceiveStream()
    {
        _received ??= new byte[LengthPrefix + ushort.MaxValue];
        var result = Sockets.Receive(_fd, _received.AsSpan(_receivedLength), MsgFlags.DontWait);
        if (result.WouldBlock) return;
        if (result.Failed || result.Count == 0)
        {
            Failed();
            return;
        }
        _receivedLength += result.Count;
        if (_receivedLength < LengthPrefix) return;
        var length = BinaryPrimitives.ReadUInt16BigEndian(_received);
        if (_receivedLength < LengthPrefix + length) return;
        var answer = _received.AsSpan(LengthPrefix, length);
        if (IsAnswer(answer)) Answered(answer);
        else Failed();
    }

    /// <summary>The id and the question have to be ours: a guard against forged answers.</summary>
    private bool IsAnswer(ReadOnlySpan<byte> answer)
    {
        var question = _message.AsSpan(Asker.IsTcp ? LengthPrefix : 0);
        if (!DnsView.TryParse(answer, out var theirs) || !theirs.IsResponse || theirs.Id != BinaryPrimitives.ReadUInt16BigEndian(question)) return false;
        // A server that cannot even read the question sends the header alone.
        if (theirs.QuestionCount == 0) return theirs.ResponseCode != DnsResponseCode.NoError;
        return DnsView.TryParse(question, out var ours) && SameQuestion(ours, theirs);
    }

    private static bool SameQuestion(in DnsView ours, in DnsView theirs)
    {
        int a = DnsView.HeaderLength, b = DnsView.HeaderLength;
        if (!ours.TryReadQuestion(ref a, out var asked) || !theirs.TryReadQuestion(ref b, out var answered)) return false;
        if (asked.Type != answered.Type || asked.Class != answered.Class) return false;
        Span<byte> first = stackalloc byte[DnsName.MaxWireLength], second = stackalloc byte[DnsName.MaxWireLength];
        a = b = DnsView.HeaderLength;
        return DnsName.TryRead(ours.Message, ref a, first, out var n) && DnsName.TryRead(theirs.Message, ref b, second, out var m)
            && first[..n].SequenceEqual(second[..m]);
    }

    private void Answered(Span<byte> answer)
    {
        DnsView.TryParse(answer, out var view);
        Server.Answered++;
        Server.DeadUntil = 0;
        // It lives, but cannot tell; perhaps another can. The last one's word is passed on.
        var helpless = view.ResponseCode is DnsResponseCode.ServerFailure or DnsResponseCode.Refused or DnsResponseCode.NotImplemented;
        if (helpless && _attempt + 1 < _servers.Length)
        {
            _forwarder.Next(this);
            return;
        }
        DnsView.SetId(answer, _askersId);
        _forwarder.Done(this, answer);
    }

    private void Failed()
    {
        Server.Failed++;
        _forwarder.Dead(Server);
        _forwarder.Next(this);
    }
}
