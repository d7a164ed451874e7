using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace NicHost.Contracts.Options;

/// <summary>What a <see cref="RangeAttribute"/> says about a number.</summary>
internal sealed record OptionsRange(double Minimum, double Maximum)
{
    /// <summary>The range of a member; null when it has none.</summary>
    public static OptionsRange? Of(ICustomAttributeProvider? member) =>
        member?.GetCustomAttributes(typeof(RangeAttribute), inherit: false).OfType<RangeAttribute>().FirstOrDefault() is { } range
            ? new OptionsRange(Convert.ToDouble(range.Minimum, CultureInfo.InvariantCulture), Convert.ToDouble(range.Maximum, CultureInfo.InvariantCulture))
            : null;

    public bool Contains(double value) => value >= Minimum && value <= Maximum;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Minimum} to {Maximum}");
}
