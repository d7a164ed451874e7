namespace NicHost.Consomme.Tcp;

/// <summary>Retransmission time-out from measured round trips (RFC 6298), in milliseconds.</summary>
internal struct RttEstimator
{
    /// <summary>Below RFC 6298's one second, as Linux does: the link is local, and a guest's delayed acknowledgement takes at most 200 ms.</summary>
    public const int MinTimeout = 200;
    public const int MaxTimeout = 60_000;
    private const int FirstTimeout = 1000;

    // Fixed point as in RFC 6298 2: srtt times 8, rttvar times 4.
    private int _srtt8;
    private int _var4;
    private int _backoff;

    /// <summary>Smoothed round trip; −1 before the first sample.</summary>
    public readonly int Smoothed => _srtt8 < 0 ? -1 : _srtt8 >> 3;

    public readonly int Timeout
    {
        get
        {
            var plain = _srtt8 < 0 ? FirstTimeout : Math.Max(MinTimeout, (_srtt8 >> 3) + Math.Max(1, _var4));
            return (int)Math.Min(MaxTimeout, (long)plain << _backoff);
        }
    }

    public void Reset() => (_srtt8, _var4, _backoff) = (-1, 0, 0);

    public void Add(int sample)
    {
        sample = Math.Clamp(sample, 0, MaxTimeout);
        _backoff = 0;
        if (_srtt8 < 0)
        {
            _srtt8 = sample << 3;
            _var4 = sample << 1;
            return;
        }
        var delta = sample - (_srtt8 >> 3);
        _srtt8 += delta;
        _var4 += Math.Abs(delta) - (_var4 >> 2);
    }

    public void BackOff() => _backoff = Math.Min(_backoff + 1, 16);

    /// <summary>Something was acknowledged: the path works, even where a sample is not to be had (Karn).</summary>
    public void Progress() => _backoff = 0;
}
